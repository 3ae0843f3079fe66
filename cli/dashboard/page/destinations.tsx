import { formatBytes, formatCount } from '../../client/stats/format.ts'
import type { DestinationState, State } from '../../client/stats/state.ts'
import { type Column, Table } from './table.tsx'

const columns: Column<DestinationState>[] = [
  { name: 'Domain', value: ({ domain }) => domain },
  {
    name: 'Connections',
    value: ({ connections }) => connections,
    show: ({ connections, active }) =>
      active > 0 ? `${formatCount(connections)} (${formatCount(active)} open)` : formatCount(connections),
    number: true,
  },
  {
    name: 'Down',
    value: ({ bytesDown }) => bytesDown,
    show: row => formatBytes(row.bytesDown),
    number: true,
  },
  { name: 'Up', value: ({ bytesUp }) => bytesUp, show: row => formatBytes(row.bytesUp), number: true },
]

/** Where the traffic goes, by registered domain. */
export function Destinations({ state: { destinations, destinationCount } }: { state: State }) {
  const left = destinationCount - destinations.length
  return (
    <section aria-labelledby="destinations">
      <h2 id="destinations">Destinations</h2>
      <Table
        caption="Destinations by registered domain"
        columns={columns}
        rows={destinations}
        keyOf={({ domain }) => domain}
        sortedBy="Down"
        maxRows={50}
        empty="Nothing has been connected to yet."
      />
      {left > 0 && <p class="note">{formatCount(left)} more carried less.</p>}
    </section>
  )
}
