import { BoundedMap } from '../../../tunnel/net/bounded-map.ts'
import { type ExitPlace, isWhereAsked, keyOf, type SiteDemand, sitesAskingFor } from './sites.ts'

// --exit fresh: each connection gets an exit that its site (a registered domain, or an address) has not seen: neither
// that exit nor its public address. Exits are kept ahead for the sites that are asked for.

/** An exit that is still to come up has been seen by no site. */
interface SeenExit extends ExitPlace {
  /** The sites that it has served. */
  readonly sites: ReadonlySet<string>
}

/** A site that connections asked for lately. */
export interface FreshDemand extends SiteDemand {
  /** Connections that wait for an exit. */
  waiting: number
}

/** What a site has seen. */
interface Seen {
  readonly addresses: Map<string, true>
  /** How many exits in a row came up at addresses that it has seen. */
  misses: number
}

export interface Freshness {
  /** By site. */
  readonly seen: Map<string, Seen>
  /** By site and region. */
  readonly demands: Map<string, FreshDemand>
}

/** Exits are kept ahead for a site for this long after it was last asked for. Milliseconds. */
export const aheadMs = 60_000
/** Sites that are remembered, addresses of each, and sites that exits are kept ahead for; the oldest give way. */
const maxSites = 1_000
const maxAddresses = 256
const maxDemands = 200
/** When so many exits in a row came up at addresses that a site has seen, another exit is fresh enough for it. */
const maxMisses = 3

export const newFreshness = (): Freshness => ({
  seen: new BoundedMap<string, Seen>(maxSites),
  demands: new BoundedMap<string, FreshDemand>(maxDemands),
})

/** A connection asks for the site. */
export function askFresh(
  { demands }: Freshness,
  { site, region }: Pick<FreshDemand, 'site' | 'region'>,
  now: number,
): FreshDemand {
  const key = keyOf({ site, region })
  const demand = demands.get(key) ?? { site, region, at: now, waiting: 0 }
  demand.at = now
  demands.set(key, demand)
  return demand
}

/** Whether the site has seen neither this exit nor, as long as launches bring other addresses, its address. */
export function isFresh({ seen }: Freshness, { address, sites }: SeenExit, site: string): boolean {
  if (sites.has(site)) return false
  const known = seen.get(site)
  return !known || address === undefined || known.misses >= maxMisses || !known.addresses.has(address)
}

/** Records that the site now has an exit at this address. */
export function sawAddress({ seen }: Freshness, site: string, address: string): void {
  const known = seen.get(site) ?? { addresses: new BoundedMap<string, true>(maxAddresses), misses: 0 }
  known.addresses.set(address, true)
  seen.set(site, known)
}

/** An exit came up. Gives the sites for which launches bring no other addresses any more. */
export function cameUpFresh({ seen, demands }: Freshness, exit: ExitPlace): string[] {
  return sitesAskingFor(demands.values(), exit).filter(site => {
    const known = seen.get(site)
    if (!known || exit.address === undefined) return false
    const before = known.misses
    known.misses = known.addresses.has(exit.address) ? Math.min(before + 1, maxMisses) : 0
    return known.misses === maxMisses && before < maxMisses
  })
}

/** Forgets the sites that nobody asks for any more. */
export function forgetFresh({ demands }: Freshness, now: number): void {
  for (const [key, { at, waiting }] of demands) if (waiting === 0 && at + aheadMs <= now) demands.delete(key)
}

/** When the passing of time next changes which exits are kept ahead. */
export const freshChangesAt = ({ demands }: Freshness): number[] =>
  [...demands.values()].map(({ at }) => at + aheadMs)

/** Whether the exit can meet this demand. */
export const meetsFresh = (freshness: Freshness, exit: SeenExit, demand: FreshDemand): boolean =>
  isWhereAsked(demand, exit) && isFresh(freshness, exit, demand.site)
