import { formatCount } from '../../client/stats/format.ts'
import type { RejectionState, State } from '../../client/stats/state.ts'
import { type Column, Table } from './table.tsx'
import { timeOf } from './time.ts'

const columns: Column<RejectionState>[] = [
  {
    name: 'Reason',
    value: ({ code }) => code,
    show: ({ message, hint }) => (hint === undefined ? message : `${message}. ${hint}`),
  },
  { name: 'Clients', value: ({ count }) => count, show: ({ count }) => formatCount(count), number: true },
  { name: 'Last', value: ({ rejectedAt }) => rejectedAt, show: row => timeOf(row.rejectedAt), number: true },
]

/** Why clients were rejected before they could ask for a target; nothing where none was. */
export function Rejections({ state: { rejections } }: { state: State }) {
  if (rejections.length === 0) return null
  return (
    <section aria-labelledby="rejections">
      <h2 id="rejections">Rejected clients</h2>
      <Table
        caption="Rejected clients by reason"
        columns={columns}
        rows={rejections}
        keyOf={({ code }) => code}
        sortedBy="Last"
        maxRows={20}
        empty="None."
      />
    </section>
  )
}
