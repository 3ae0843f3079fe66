import { BoundedMap } from '../../../tunnel/net/bounded-map.ts'
import type { ProxyEvent } from './events.ts'
import type { BanState } from './state.ts'

/** The sites that do not use some exits' addresses, for now. */
export interface BanTable {
  apply(event: ProxyEvent, now: number): void
  /** The site that was banned last, first. */
  list(now: number): BanState[]
}

/** The page shows this many sites, those that were banned last, and addresses of each. */
const maxSites = 50
const maxAddresses = 32

export function createBans(): BanTable {
  /** Site → address → when its ban ends. */
  const sites = new BoundedMap<string, Map<string, number>>(maxSites)
  return {
    apply(event, now) {
      if (event.type === 'site.unbanned') sites.delete(event.site)
      if (event.type !== 'site.banned') return
      const { site, address, forMs } = event
      const addresses = sites.get(site) ?? new BoundedMap<string, number>(maxAddresses)
      sites.delete(site)
      sites.set(site, addresses.set(address, now + forMs))
    },
    list: now =>
      [...sites]
        .map(([site, addresses]) => ({ site, current: [...addresses].filter(([, endsAt]) => endsAt > now) }))
        .filter(({ current }) => current.length > 0)
        .map(({ site, current }) => ({
          site,
          addresses: current.map(([address]) => address),
          endsAt: Math.max(...current.map(([, endsAt]) => endsAt)),
        }))
        .reverse(),
  }
}
