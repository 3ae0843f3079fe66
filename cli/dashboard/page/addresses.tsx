import type { AddressState, State } from '../../client/stats/state.ts'
import { type Column, Table } from './table.tsx'
import { timeOf } from './time.ts'

const columns: Column<AddressState>[] = [
  { name: 'Address', value: ({ address }) => address },
  { name: 'Region', value: ({ region }) => region },
  { name: 'Exits', value: ({ exits }) => exits, number: true },
  {
    name: 'First seen',
    value: ({ firstSeenAt }) => firstSeenAt,
    show: row => timeOf(row.firstSeenAt),
    number: true,
  },
  {
    name: 'Last seen',
    value: ({ lastSeenAt }) => lastSeenAt,
    show: row => timeOf(row.lastSeenAt),
    number: true,
    wide: true,
  },
]

/** The public addresses that exits have had. */
export function Addresses({ state: { addresses } }: { state: State }) {
  return (
    <section aria-labelledby="addresses">
      <h2 id="addresses">Addresses</h2>
      <p class="note">
        {addresses.distinct} distinct {addresses.distinct === 1 ? 'address' : 'addresses'} seen
        {addresses.distinct > addresses.latest.length && `; the last ${addresses.latest.length} are shown`}.
      </p>
      <Table
        caption="Public addresses of exits"
        columns={columns}
        rows={addresses.latest}
        keyOf={({ address }) => address}
        sortedBy="Last seen"
        maxRows={50}
        empty="No exit has come up yet."
      />
    </section>
  )
}
