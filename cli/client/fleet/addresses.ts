import { BoundedMap } from '../../../tunnel/net/bounded-map.ts'

// The public addresses that the exits of this run have had. A cloud hands some of them out again; with
// --distinct such an exit is replaced, as long as launches seem to bring other addresses.

export interface Addresses {
  /** Address → how many exits have had it. */
  readonly seen: Map<string, number>
  /** How many there are; those that are no longer remembered count on. */
  distinct: number
  /** Region → how many exits in a row came up at addresses of others. */
  readonly repeats: Map<string, number>
}

/** What there is to tell of an exit's address. */
export interface Arrival {
  address: string
  /** No exit of this run has had it. */
  isNew: boolean
  /** How many exits have had it, and how many addresses there are. */
  exits: number
  distinct: number
  /** It is not used, and another exit is launched in its place. */
  replaced: boolean
}

/** Addresses that are remembered. */
const maxSeen = 10_000
/** After so many repeats in a row a region seems to have no other addresses: they are used. */
const maxRepeats = 3

export const newAddresses = (): Addresses => ({
  seen: new BoundedMap<string, number>(maxSeen),
  distinct: 0,
  repeats: new Map(),
})

/** Records the address of an exit that came up. With `distinct`, one that another exit had is to be replaced. */
export function arrive(
  addresses: Addresses,
  { region, address }: { region: string; address: string },
  distinct: boolean,
): Arrival {
  const { seen, repeats } = addresses
  const exits = (seen.get(address) ?? 0) + 1
  seen.set(address, exits)
  const isNew = exits === 1
  if (isNew) addresses.distinct++
  const before = repeats.get(region) ?? 0
  repeats.set(region, isNew ? 0 : Math.min(before + 1, maxRepeats))
  const replaced = distinct && !isNew && before < maxRepeats
  return { address, isNew, exits, distinct: addresses.distinct, replaced }
}
