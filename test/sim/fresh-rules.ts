import type { ExitState } from '../../cli/client/fleet/state.ts'
import type { Schedule } from './schedule.ts'

// What must hold where each connection gets an exit that its site has not seen, and where an exit
// takes only so many or must have an address of its own.

/** A connection that waits. */
export interface Waiter {
  site: string
  region: string | undefined
}

/** What there is to know of connections. */
export interface Use {
  /** Since when an exit has had no connections; Infinity while it has some. */
  isIdleSince(id: string): number
  /** A connection is open, or waits for an exit. */
  isInUse(): boolean
  waiters(): Waiter[]
}

export interface FreshRules {
  /** The site may get this exit: it has not seen it, nor its address unless launches bring no others. */
  may(exit: ExitState, site: string): boolean
  /** The site must get this exit where nothing else keeps it from it: it has seen neither it nor its address. */
  must(exit: ExitState, site: string): boolean
  asked(site: string, now: number): void
  /** An exit came up at its address. */
  arrived(exit: ExitState): void
  /** A connection got this exit. */
  took(exit: ExitState, site: string): void
  /** It may take nothing, or no more. */
  isUnfit(exit: ExitState): boolean
  /** So many connections more it may take. */
  room(exit: ExitState): number
  /** An exit is there, or on its way, for each connection that waits. */
  hasForAll(coming: readonly ExitState[], waiters: readonly Waiter[]): boolean
  /** So many exits may be needed beyond those for all. */
  most(now: number): number
}

/** Another address is not insisted on after so many exits in a row at addresses that the site has seen. */
const maxMisses = 3
/** An exit at an address of another one is replaced so often in a row. */
export const maxRepeats = 3
/** So many addresses are remembered for a site. */
const maxAddresses = 256
/** Exits are kept ahead for a site for a minute after it was asked for; a launch for it may be under way for longer. */
const aheadMs = 70_000
/** A connection waits for this long, and a launch may be under way for as long as one that has given up. */
const waitMs = 40_000

export function watchFresh({ settings }: Schedule): FreshRules {
  const { fresh, distinct, connectionsPerExit, sessions, standby } = settings
  /** Addresses that exits have had, how many in a row brought no new one, and the exits that are not to be used. */
  const addresses = new Set<string>()
  const repeats = new Map<string, number>()
  const unfit = new Set<string>()
  const sitesOf = new Map<string, Set<string>>()
  const addressesOf = new Map<string, Set<string>>()
  /** Exits that came up at addresses that the site had seen. */
  const repeatsFor = new Map<string, number>()
  const takenOf = new Map<string, number>()
  const askedAt = new Map<string, number>()
  let asks: number[] = []

  const hasSeen = ({ id }: ExitState, site: string) => sitesOf.get(id)?.has(site) ?? false
  const hasSeenAddress = ({ address = '' }: ExitState, site: string) =>
    addressesOf.get(site)?.has(address) ?? false

  return {
    may: (exit, site) =>
      !fresh ||
      (!hasSeen(exit, site) &&
        (!hasSeenAddress(exit, site) ||
          (repeatsFor.get(site) ?? 0) >= maxMisses ||
          addressesOf.get(site)!.size > maxAddresses)),
    must: (exit, site) => !fresh || (!hasSeen(exit, site) && !hasSeenAddress(exit, site)),
    asked(site, now) {
      askedAt.set(site, now)
      asks = [...asks.filter(at => at + waitMs > now), now]
    },
    arrived(exit) {
      for (const site of addressesOf.keys())
        if (hasSeenAddress(exit, site)) repeatsFor.set(site, (repeatsFor.get(site) ?? 0) + 1)
      const { id, region, address = '' } = exit
      const before = repeats.get(region) ?? 0
      if (distinct && addresses.has(address) && before < maxRepeats) unfit.add(id)
      repeats.set(region, addresses.has(address) ? before + 1 : 0)
      addresses.add(address)
    },
    took(exit, site) {
      sitesOf.set(exit.id, (sitesOf.get(exit.id) ?? new Set()).add(site))
      addressesOf.set(site, (addressesOf.get(site) ?? new Set()).add(exit.address ?? ''))
      const taken = (takenOf.get(exit.id) ?? 0) + 1
      takenOf.set(exit.id, taken)
      if (taken >= connectionsPerExit) unfit.add(exit.id)
    },
    isUnfit: ({ id }) => unfit.has(id),
    room: ({ id }) => (unfit.has(id) ? 0 : connectionsPerExit - (takenOf.get(id) ?? 0)),
    hasForAll: (coming, waiters) =>
      !fresh ||
      waiters.every(({ site, region }) => {
        const alike = waiters.filter(other => other.site === site && other.region === region).length
        const fit = coming.filter(
          exit => (region === undefined || region === exit.region) && !hasSeen(exit, site),
        )
        return fit.length >= alike
      }),
    most(now) {
      if (!fresh && connectionsPerExit === Number.POSITIVE_INFINITY) return 0
      const hot = fresh ? [...askedAt.values()].filter(at => at + aheadMs > now).length : 0
      return hot * (sessions + standby) + asks.filter(at => at + waitMs > now).length
    },
  }
}
