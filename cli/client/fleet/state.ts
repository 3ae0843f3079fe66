/** What a person asks of the fleet. Times are in milliseconds. */
export interface FleetSettings {
  /** Exits in use at once. */
  sessions: number
  /** Exits kept ready beside them. */
  standby: number
  /** An exit's replacement is launched after this long; the function's own life is the other limit. */
  rotateMs: number
  /** Launches in any minute, whatever happens: no fault turns into a bill. */
  launchesPerMinute: number
}

export const defaultFleetSettings: FleetSettings = {
  sessions: 1,
  standby: 0,
  rotateMs: Number.POSITIVE_INFINITY,
  launchesPerMinute: 20,
}

/** A session's life, in this order; from any of them it may end. */
export type Role = 'launching' | 'active' | 'draining'

/** A session as the fleet sees it. Times are on one clock, in milliseconds. */
export interface Member {
  readonly id: string
  readonly region: string
  role: Role
  readonly launchedAt: number
  readyAt: number
  /** When the function's time is up. */
  deadline: number
  /** Its replacement is due, because a person said so. */
  retired: boolean
  /** It answers no probes at the moment. */
  silent: boolean
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
  readonly members: Map<string, Member>
  /** The launches of the last minute. */
  launches: number[]
  /** Regions that connections asked for by name in the last minutes, and when last. */
  readonly demands: Map<string, number>
}

export const minuteMs = 60_000
/** A region that a login asked for is kept up for this long after it was last asked for. */
export const demandMs = 5 * minuteMs
/** Waits between launches in a region that fails: doubled each time, with jitter. */
const firstBackoffMs = 1_000
const maxBackoffMs = 60_000
/** A session that is lost this soon counts as a launch that failed. */
const shortLifeMs = 10_000

const longAgo = Number.NEGATIVE_INFINITY

export const newFleetState = (settings: FleetSettings, regions: string[]): FleetState => ({
  settings,
  regions: new Map(
    regions.map(name => [
      name,
      { name, lastLaunchAt: longAgo, failures: 0, failedAt: longAgo, retryAt: longAgo },
    ]),
  ),
  members: new Map(),
  launches: [],
  demands: new Map(),
})

/** Forgets what is past: launches that the budget no longer counts, and demands that nobody repeated. */
export function forget(state: FleetState, now: number): void {
  state.launches = state.launches.filter(at => at + minuteMs > now)
  for (const [region, at] of state.demands) if (at + demandMs <= now) state.demands.delete(region)
}

export function launching(state: FleetState, id: string, region: string, now: number): void {
  state.launches.push(now)
  state.regions.get(region)!.lastLaunchAt = now
  state.members.set(id, {
    id,
    region,
    role: 'launching',
    launchedAt: now,
    readyAt: Number.POSITIVE_INFINITY,
    deadline: Number.POSITIVE_INFINITY,
    retired: false,
    silent: false,
    connections: 0,
    busyAt: now,
  })
}

export function ready(state: FleetState, id: string, deadline: number, now: number): void {
  const member = state.members.get(id)
  if (member?.role !== 'launching') return
  Object.assign(member, { role: 'active', readyAt: now, deadline })
}

export function draining(state: FleetState, id: string, now: number): void {
  const member = state.members.get(id)
  if (member?.role === 'active') Object.assign(member, { role: 'draining', busyAt: now })
}

/** Takes note of how many connections a member has. */
export function loaded(state: FleetState, id: string, connections: number, now: number): void {
  const member = state.members.get(id)
  if (member) Object.assign(member, { connections, busyAt: connections > 0 ? now : member.busyAt })
}

/** The launch failed, or the session is over. `random` gives the jitter, in [0, 1). Returns how long its region waits. */
export function ended(state: FleetState, id: string, now: number, random: () => number): number {
  const member = state.members.get(id)
  if (!member) return 0
  const region = state.regions.get(member.region)!
  // An exit that came up after a failure and has lasted shows that the region works again.
  const works = [...state.members.values()].some(
    ({ region: name, readyAt }) =>
      name === member.region && readyAt > region.failedAt && now - readyAt >= shortLifeMs,
  )
  if (works) region.failures = 0
  state.members.delete(id)
  const tooSoon =
    member.role === 'launching' || (member.role === 'active' && now - member.readyAt < shortLifeMs)
  if (!tooSoon) return 0
  // What was launched before its region was set aside tells nothing new.
  if (region.retryAt > now) return region.retryAt - now
  const backoff = Math.min(firstBackoffMs * 2 ** region.failures, maxBackoffMs) * (0.5 + random())
  region.failures++
  region.failedAt = now
  region.retryAt = now + backoff
  return backoff
}
