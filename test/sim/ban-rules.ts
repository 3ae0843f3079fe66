import type { ExitState } from '../../cli/client/fleet/state.ts'

// What must hold of sites that have banned exits' addresses.

/** A banned site that connections asked for. */
export interface BannedDemand {
  site: string
  region: string | undefined
  at: number
}

export interface BanRules {
  /** A person banned this address for the site. */
  banned(site: string, address: string): void
  isBanned(exit: ExitState, site: string): boolean
  /** A connection asked for the site, in a region or anywhere. */
  asked(site: string, region: string | undefined, now: number): void
  /** An exit came up; the sites are those whose bans were lifted for want of another address. */
  cameUp(exit: ExitState, lifted: string[]): void
  /** The exit is one that the demand can be met with. */
  meets(exit: ExitState, demand: BannedDemand): boolean
  /** Banned sites that were asked for lately. */
  demanded(now: number): BannedDemand[]
  /** So many were: a launch for one may be under way though its bans are lifted. */
  most(now: number): number
}

/** A site is asked for as long as this after a connection asked for it. */
export const demandMs = 300_000
/** Bans are lifted when so many exits in a row came up at addresses that the site has banned. */
const maxMisses = 3

export function watchBans(): BanRules {
  const bans = new Map<string, Set<string>>()
  const misses = new Map<string, number>()
  const demands = new Map<string, BannedDemand>()
  const ever = new Map<string, number>()
  const isBanned = ({ address }: ExitState, site: string) =>
    address !== undefined && (bans.get(site)?.has(address) ?? false)
  return {
    banned(site, address) {
      bans.set(site, (bans.get(site) ?? new Set()).add(address))
      misses.delete(site)
    },
    isBanned,
    asked(site, region, now) {
      if (!bans.has(site)) return
      demands.set(`${site} ${region}`, { site, region, at: now })
      ever.set(`${site} ${region}`, now)
    },
    cameUp(exit, lifted) {
      for (const site of bans.keys()) if (isBanned(exit, site)) misses.set(site, (misses.get(site) ?? 0) + 1)
      for (const site of lifted) {
        if ((misses.get(site) ?? 0) < maxMisses) throw new Error(`the bans of ${site} are lifted too early`)
        bans.delete(site)
        misses.delete(site)
        for (const [key, demand] of demands) if (demand.site === site) demands.delete(key)
      }
    },
    meets: (exit, { site, region }) =>
      (region === undefined || region === exit.region) && !isBanned(exit, site),
    demanded: now => [...demands.values()].filter(({ at }) => at + demandMs > now),
    most: now => [...ever.values()].filter(at => at + demandMs > now).length,
  }
}
