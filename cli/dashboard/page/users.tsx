import { formatBytes, formatCount } from '../../client/stats/format.ts'
import type { State, UserState } from '../../client/stats/state.ts'
import { type Column, Table } from './table.tsx'

const columns: Column<UserState>[] = [
  { name: 'User', value: ({ user }) => user },
  {
    name: 'Connections',
    value: ({ connections }) => connections,
    show: ({ connections, active }) =>
      active > 0 ? `${formatCount(connections)} (${formatCount(active)} open)` : formatCount(connections),
    number: true,
  },
  {
    name: 'Not made',
    value: ({ notMade }) => notMade,
    show: ({ notMade }) => formatCount(notMade),
    number: true,
    wide: true,
  },
  {
    name: 'Down',
    value: ({ bytesDown }) => bytesDown,
    show: row => formatBytes(row.bytesDown),
    number: true,
  },
  { name: 'Up', value: ({ bytesUp }) => bytesUp, show: row => formatBytes(row.bytesUp), number: true },
]

const quotaColumn: Column<UserState> = {
  name: 'Quota used',
  value: ({ used = 0, quota }) => (quota === undefined ? 0 : used / quota),
  show: ({ used = 0, quota, period }) =>
    quota === undefined ? '–' : `${formatBytes(used)} of ${formatBytes(quota)} a ${period}`,
  number: true,
}

/** What each login has used; nothing where none is needed. */
export function Users({ state: { users } }: { state: State }) {
  if (users.length === 0) return null
  return (
    <section aria-labelledby="users">
      <h2 id="users">Users</h2>
      <Table
        caption="Users by login"
        columns={users.some(({ quota }) => quota !== undefined) ? [...columns, quotaColumn] : columns}
        rows={users}
        keyOf={({ user }) => user}
        sortedBy="Down"
        maxRows={50}
        empty="None."
      />
    </section>
  )
}
