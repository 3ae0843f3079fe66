import { BoundedMap } from '../../../tunnel/net/bounded-map.ts'
import { type ExitPlace, isWhereAsked, keyOf, type SiteDemand, sitesAskingFor } from './sites.ts'

// A site (a registered domain, or an address) whose exit was banned gets other exits from then on. It is the exit's
// address that is banned: another exit may have the same one. No other site notices.

/** What the fleet's decisions know of bans. Times are on the fleet's clock, in milliseconds. */
export interface Bans {
  /** Site → the addresses that are not used for it, with the time of the ban. */
  readonly sites: Map<string, Map<string, number>>
  /** Sites with bans that connections asked for lately, by site and region. */
  readonly demands: Map<string, SiteDemand>
  /** Site → how many exits in a row came up at an address that it has banned. */
  readonly misses: Map<string, number>
}

/** A ban is forgotten after this long. */
export const banMs = 3_600_000
/** An exit for a banned site is kept up for this long after the site was last asked for. */
export const siteDemandMs = 300_000
/** Caps on the sites with bans, and on the banned addresses of each; the oldest are dropped. */
const maxSites = 1_000
const maxAddresses = 32
/** When so many exits in a row came up at addresses that a site has banned, there seem to be no others. */
const maxMisses = 3

export function newBans(): Bans {
  const demands = new Map<string, SiteDemand>()
  const misses = new Map<string, number>()
  const forgotten = (site: string) => forgetSite({ demands, misses }, site)
  return { sites: new BoundedMap<string, Map<string, number>>(maxSites, forgotten), demands, misses }
}

/** From now on the site has no exit with this address. */
export function ban({ sites, misses }: Bans, site: string, address: string, now: number): void {
  const addresses = sites.get(site) ?? new BoundedMap<string, number>(maxAddresses)
  sites.set(site, addresses.set(address, now))
  misses.delete(site)
}

/** Whether the exit may be used for the site. One that is still coming up has no address yet, and may. */
export const mayServe = ({ sites }: Bans, { address }: ExitPlace, site: string): boolean =>
  address === undefined || !sites.get(site)?.has(address)

/** Takes note that a connection asks for a site. True when an exit for it may have to be launched. */
export function askForSite(
  { sites, demands }: Bans,
  { site, region }: Omit<SiteDemand, 'at'>,
  now: number,
): boolean {
  if (!sites.has(site)) return false
  const key = keyOf({ site, region })
  const isNew = !demands.has(key)
  demands.set(key, { site, region, at: now })
  return isNew
}

/** An exit came up. Gives the sites that now use whatever there is, since no launch brings them another address. */
export function cameUp(bans: Bans, exit: ExitPlace): string[] {
  return sitesAskingFor(bans.demands.values(), exit).filter(site => {
    const misses = mayServe(bans, exit, site) ? 0 : (bans.misses.get(site) ?? 0) + 1
    bans.misses.set(site, misses)
    if (misses < maxMisses) return false
    bans.sites.delete(site)
    forgetSite(bans, site)
    return true
  })
}

/** Forgets bans that have expired, and sites that nobody asks for any more. */
export function forgetBans(bans: Bans, now: number): void {
  for (const [key, { at }] of bans.demands) if (at + siteDemandMs <= now) bans.demands.delete(key)
  for (const [site, addresses] of bans.sites) {
    for (const [address, at] of addresses) if (at + banMs <= now) addresses.delete(address)
    if (addresses.size > 0) continue
    bans.sites.delete(site)
    forgetSite(bans, site)
  }
}

/** When the passing of time next changes which exits bans need. (Forgetting an old one is not urgent.) */
export const bansChangeAt = ({ demands }: Bans): number[] =>
  [...demands.values()].map(({ at }) => at + siteDemandMs)

/** Whether the exit can meet this demand. */
export const meets = (bans: Bans, exit: ExitPlace, demand: SiteDemand): boolean =>
  isWhereAsked(demand, exit) && mayServe(bans, exit, demand.site)

// --- internal ---

function forgetSite({ demands, misses }: Pick<Bans, 'demands' | 'misses'>, site: string): void {
  misses.delete(site)
  for (const [key, demand] of demands) if (demand.site === site) demands.delete(key)
}
