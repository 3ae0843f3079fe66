import { type Addresses, type Arrival, arrive, newAddresses } from './addresses.ts'
import { type Bans, forgetBans, newBans } from './bans.ts'
import { type Freshness, forgetFresh, newFreshness, sawAddress } from './freshness.ts'

/** What a person asks of the fleet. Times are in milliseconds. */
export interface FleetSettings {
  /** Exits in use at once. */
  sessions: number
  /** Exits kept ready beside them. */
  standby: number
  /** An exit's replacement is launched after this long; the function's own life is the other limit. */
  rotateMs: number
  /** Caps launches per minute, so a crash loop cannot run up costs. */
  launchesPerMinute: number
  /** The exits are let go when no connection was open or asked for this long. */
  idleMs: number
  /** An exit whose address another one of this run has, or had, is replaced. */
  distinct: boolean
  /** Each connection gets an exit that its site has not seen. */
  fresh: boolean
  /** An exit takes so many connections in all. */
  connectionsPerExit: number
}

export const defaultFleetSettings: FleetSettings = {
  sessions: 1,
  standby: 0,
  rotateMs: Number.POSITIVE_INFINITY,
  launchesPerMinute: 20,
  idleMs: Number.POSITIVE_INFINITY,
  distinct: false,
  fresh: false,
  connectionsPerExit: Number.POSITIVE_INFINITY,
}

/** An exit's life, in this order; from any of them it may end. */
export type Phase = 'launching' | 'active' | 'draining'

/** The fleet's record of an exit, by its session's id. Times are on one clock, in milliseconds. */
export interface ExitState {
  readonly id: string
  readonly region: string
  /** The exit's public address, once it is up. */
  address: string | undefined
  phase: Phase
  /** Launched beyond the target number, for one site. */
  readonly extra: boolean
  readyAt: number
  /** When the function's time is up. */
  deadline: number
  /** Its replacement is due, because a person said so. */
  retired: boolean
  /** Connections that it got so far, and with fresh exits the sites that it got them for. */
  served: number
  readonly sites: Set<string>
  /** It takes no connections any more, and is let go when those that it has are over. */
  isUsedUp: boolean
  /** It answers no probes at the moment. */
  silent: boolean
  /** It said that it is full, and is not asked again before this. */
  fullUntil: number
  /** Connections on it. */
  connections: number
  /** When it was last seen with connections, or was retired. */
  busyAt: number
}

/** A region's record: when it was last used, and how long it is set aside after failures. */
export interface Region {
  readonly name: string
  lastLaunchAt: number
  failures: number
  failedAt: number
  retryAt: number
}

/** Everything that the fleet's decisions depend on. */
export interface FleetState {
  readonly settings: FleetSettings
  readonly regions: Map<string, Region>
  readonly exits: Map<string, ExitState>
  /** The launches of the last minute. */
  launches: number[]
  /** Regions that connections asked for by name in the last minutes, and when last. */
  readonly demands: Map<string, number>
  /** Which exits sites do not use. */
  readonly bans: Bans
  /** What sites have seen of exits. */
  readonly freshness: Freshness
  /** The addresses that exits have had. */
  readonly addresses: Addresses
  /** When a connection last asked for an exit, waited for one or had one. */
  usedAt: number
  /** Connections that wait for an exit. */
  waiting: number
  /** An exit has come up. */
  everUp: boolean
  /** When the budget of dollars was used up; Infinity while it is not. */
  spentAt: number
}

export const minuteMs = 60_000
/** A region that a login asked for is kept up for this long after it was last asked for. */
export const demandMs = 5 * minuteMs
/** Waits between launches in a region that fails: doubled each time, with jitter. */
const firstBackoffMs = 1_000
const maxBackoffMs = 60_000
/** A full exit is asked again after this long. */
const fullMs = 10_000
/** An exit that is lost this soon counts as a launch that failed. */
const shortLifeMs = 10_000

const longAgo = Number.NEGATIVE_INFINITY

export const newFleetState = (settings: FleetSettings, regions: string[], now = 0): FleetState => ({
  settings,
  regions: new Map(
    regions.map(name => [
      name,
      { name, lastLaunchAt: longAgo, failures: 0, failedAt: longAgo, retryAt: longAgo },
    ]),
  ),
  exits: new Map(),
  launches: [],
  demands: new Map(),
  bans: newBans(),
  freshness: newFreshness(),
  addresses: newAddresses(),
  usedAt: now,
  waiting: 0,
  everUp: false,
  spentAt: Number.POSITIVE_INFINITY,
})

/** Forgets what no longer counts: launches that the budget no longer counts, demands that nobody repeated, old bans. */
export function forget(state: FleetState, now: number): void {
  state.launches = state.launches.filter(at => at + minuteMs > now)
  for (const [region, at] of state.demands) if (at + demandMs <= now) state.demands.delete(region)
  forgetBans(state.bans, now)
  forgetFresh(state.freshness, now)
}

export function launching(state: FleetState, id: string, region: string, now: number, extra = false): void {
  state.launches.push(now)
  state.regions.get(region)!.lastLaunchAt = now
  state.exits.set(id, {
    id,
    region,
    address: undefined,
    phase: 'launching',
    extra,
    readyAt: Number.POSITIVE_INFINITY,
    deadline: Number.POSITIVE_INFINITY,
    retired: false,
    served: 0,
    sites: new Set(),
    isUsedUp: false,
    silent: false,
    fullUntil: longAgo,
    connections: 0,
    busyAt: now,
  })
}

export function ready(state: FleetState, id: string, deadline: number, now: number, address?: string): void {
  const exit = state.exits.get(id)
  if (exit?.phase !== 'launching') return
  Object.assign(exit, { phase: 'active', readyAt: now, deadline, address })
  // Whoever starts the proxy finds its first exit, however long that took.
  if (!state.everUp) state.usedAt = now
  state.everUp = true
}

/** An exit came up at an address: one that should have another is not used. */
export function arrived(state: FleetState, exit: ExitState, address: string): Arrival {
  const arrival = arrive(state.addresses, { region: exit.region, address }, state.settings.distinct)
  if (arrival.replaced) exit.isUsedUp = true
  return arrival
}

export function draining(state: FleetState, id: string, now: number): void {
  const exit = state.exits.get(id)
  if (exit?.phase === 'active') Object.assign(exit, { phase: 'draining', busyAt: now })
}

/** The exit said that it is full. */
export function full(state: FleetState, id: string, now: number): void {
  const exit = state.exits.get(id)
  if (exit) exit.fullUntil = now + fullMs
}

/** A connection for the site got this exit. True when the plan may change by it. */
export function took({ settings, freshness }: FleetState, exit: ExitState, site: string): boolean {
  exit.connections++
  exit.served++
  if (settings.fresh) {
    exit.sites.add(site)
    if (exit.address !== undefined) sawAddress(freshness, site, exit.address)
  }
  if (exit.served >= settings.connectionsPerExit) exit.isUsedUp = true
  return settings.fresh || exit.isUsedUp
}

/** Takes note of how many connections an exit has. */
export function loaded(state: FleetState, id: string, connections: number, now: number): void {
  const exit = state.exits.get(id)
  if (!exit) return
  // One that has ended since it was last looked at counts until now.
  if (connections > 0 || exit.connections > 0) state.usedAt = now
  exit.connections = connections
  if (connections > 0) exit.busyAt = now
}

/** A launch was aborted, which says nothing about its region. */
export function calledOff(state: FleetState, id: string): void {
  state.exits.delete(id)
}

/** This machine's network is another one: what failed before may work now. */
export function moved(state: FleetState): void {
  for (const region of state.regions.values()) Object.assign(region, { failures: 0, retryAt: longAgo })
}

/** The launch failed, or the exit is over. `random` gives the jitter, in [0, 1). Returns how long its region waits. */
export function ended(state: FleetState, id: string, now: number, random: () => number): number {
  const exit = state.exits.get(id)
  if (!exit) return 0
  const region = state.regions.get(exit.region)!
  if (exit.connections > 0) state.usedAt = now
  // An exit that came up after a failure and has lasted shows that the region works again.
  const works = [...state.exits.values()].some(
    ({ region: name, readyAt }) =>
      name === exit.region && readyAt > region.failedAt && now - readyAt >= shortLifeMs,
  )
  if (works) region.failures = 0
  state.exits.delete(id)
  const tooSoon = exit.phase === 'launching' || (exit.phase === 'active' && now - exit.readyAt < shortLifeMs)
  if (!tooSoon) return 0
  // What was launched before its region was set aside tells nothing new.
  if (region.retryAt > now) return region.retryAt - now
  const backoff = Math.min(firstBackoffMs * 2 ** region.failures, maxBackoffMs) * (0.5 + random())
  region.failures++
  region.failedAt = now
  region.retryAt = now + backoff
  return backoff
}
