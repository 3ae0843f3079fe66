import { useState } from 'preact/hooks'
import { formatBytes, formatCount, formatDuration } from '../../client/stats/format.ts'
import { toldOf } from '../../client/stats/refusals.ts'
import type { ConnectionState, State } from '../../client/stats/state.ts'
import { type Column, Table } from './table.tsx'

/** More rows than this are not drawn: the browser would do nothing else. */
const maxRows = 100

const which = { all: 'all', active: 'open', ended: 'ended' } as const
type Which = keyof typeof which

/** The connections, open ones and those that ended last. */
export function Connections({ state }: { state: State }) {
  const [filter, setFilter] = useState('')
  const [kind, setKind] = useState<Which>('all')
  const regions = new Map(state.exits.map(({ session, region }) => [session, region]))
  const outboundOf = ({ session, outbound }: ConnectionState) =>
    [outbound ?? '–', ...(session === undefined ? [] : [regions.get(session), session.slice(0, 6)])].join(' ')
  const age = ({ openedAt, endedAt }: ConnectionState) => (endedAt ?? state.now) - openedAt

  const columns: Column<ConnectionState>[] = [
    { name: 'No.', value: ({ id }) => id, show: ({ id }) => formatCount(id), number: true, wide: true },
    {
      name: 'Target',
      value: ({ target }) => target,
      show: ({ target }) => <span title={target}>{target}</span>,
    },
    ...(state.users.length > 0 ? [userColumn] : []),
    { name: 'Outbound', value: outboundOf, wide: true },
    { name: 'Age', value: age, show: row => formatDuration(age(row)), number: true, wide: true },
    { name: 'Down', value: row => row.bytesDown, show: row => formatBytes(row.bytesDown), number: true },
    { name: 'Up', value: row => row.bytesUp, show: row => formatBytes(row.bytesUp), number: true },
    { name: 'State', value: endOf, show: row => <End connection={row} /> },
  ]
  const text = filter.trim().toLowerCase()
  const rows = state.connections.filter(
    connection =>
      (kind === 'all' || (kind === 'active') === (connection.endedAt === undefined)) &&
      [connection.target, connection.user ?? '', outboundOf(connection), endOf(connection)].some(each =>
        each.toLowerCase().includes(text),
      ),
  )
  return (
    <section aria-labelledby="connections">
      <div class="bar">
        <h2 id="connections">Connections</h2>
        <label class="filter">
          Filter{' '}
          <input
            type="search"
            value={filter}
            placeholder="target, user, outbound or state"
            onInput={event => setFilter(event.currentTarget.value)}
          />
        </label>
        <label class="filter">
          Show{' '}
          <select value={kind} onChange={event => setKind(event.currentTarget.value as Which)}>
            {Object.entries(which).map(([name, shown]) => (
              <option key={name} value={name}>
                {shown}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Table
        caption="Connections, open and recent"
        columns={columns}
        rows={rows}
        keyOf={({ id }) => id}
        sortedBy="No."
        maxRows={maxRows}
        empty={
          state.connections.length === 0
            ? 'No connection has been made yet.'
            : 'No connection fits the filter.'
        }
        classOf={({ endedAt }) => (endedAt === undefined ? 'open' : 'ended')}
      />
    </section>
  )
}

// --- internal ---

const userColumn: Column<ConnectionState> = { name: 'User', value: ({ user }) => user ?? '–' }

const ends = {
  complete: 'complete',
  'target-closed': 'broken off by the target',
  deadline: 'the exit’s time was up',
  quota: 'the user’s quota was used up',
  'client-closed': 'broken off by the client',
  refused: 'refused',
  failed: 'failed',
}

/** How it ended and why, to be sorted and searched by. */
const endOf = (connection: ConnectionState) => {
  const { end, error } = connection
  const told = toldOf(connection)
  return [
    end === undefined ? 'open' : ends[end],
    ...(told ? [told] : []),
    ...(error ? [error.message, error.code] : []),
  ].join(': ')
}

function End({ connection }: { connection: ConnectionState }) {
  const { end, error } = connection
  const told = toldOf(connection)
  return (
    <>
      {end === undefined ? 'open' : ends[end]}
      {told && ` (${told})`}
      {error && (
        <small class="reason" title={error.code}>
          {error.message}
          {error.hint && `. ${error.hint}`}
        </small>
      )}
    </>
  )
}
