import { demandMs, type FleetState, type Member, minuteMs, type Region } from './state.ts'

/** What the fleet does next. */
export type Action =
  | { type: 'launch'; region: string }
  /** No new connections; those it has go on. */
  | { type: 'drain'; id: string }
  /** Nothing is left on it: say bye, so that the function stops being billed. */
  | { type: 'close'; id: string }

/** A replacement is launched this long before the function's end asks for it, or a third of its life if that is less. */
const leadMs = 20_000
/** The function's last 10 seconds are for draining alone. */
const reserveMs = 10_000
/** The last bytes of connections that have ended may still be on their way for this long. */
const lingerMs = 1_000

/** When a member's replacement is to be launched. */
export function replaceAt(member: Member, rotateMs: number): number {
  if (member.retired) return Number.NEGATIVE_INFINITY
  const lastUse = member.deadline - reserveMs
  const life = Math.max(0, lastUse - member.readyAt)
  // A rotation needs no lead: the old exit can serve until the new one is there.
  return Math.min(member.readyAt + rotateMs, lastUse - Math.min(leadMs, life / 3))
}

/** It can take new connections. */
export const usable = (member: Member, now: number): boolean =>
  member.role === 'active' && !member.silent && now < member.deadline - reserveMs

/** It can take new connections and need not be replaced yet. */
export const fresh = (state: FleetState, member: Member, now: number): boolean =>
  usable(member, now) && now < replaceAt(member, state.settings.rotateMs)

/** Decides from the state (with what is past forgotten) and the time alone. Carry the actions out, and ask again at `planAgainAt` or when anything changes. */
export function plan(state: FleetState, now: number): Action[] {
  return [...launches(state, now), ...drains(state, now), ...closes(state, now)]
}

/** When time alone makes a difference to the plan; Infinity when it does not. */
export function planAgainAt(state: FleetState, now: number): number {
  const times = [...state.members.values()].flatMap(member => [
    replaceAt(member, state.settings.rotateMs),
    member.deadline - reserveMs,
    ...(member.role === 'draining' ? [member.busyAt + lingerMs] : []),
  ])
  times.push(...[...state.regions.values()].map(({ retryAt }) => retryAt))
  times.push(...state.launches.map(at => at + minuteMs))
  times.push(...[...state.demands.values()].map(at => at + demandMs))
  return Math.min(...times.filter(time => time > now), Number.POSITIVE_INFINITY)
}

/** True when the launch budget alone keeps the fleet from launching. */
export const overBudget = (state: FleetState, now: number): boolean =>
  state.launches.length >= state.settings.launchesPerMinute &&
  launches({ ...state, launches: [] }, now).length > 0

// --- internal ---

function launches(state: FleetState, now: number): Action[] {
  const { sessions, standby, launchesPerMinute } = state.settings
  let budget = launchesPerMinute - state.launches.length
  /** Members that count towards what is wanted, by region. */
  const counted = new Map<string, number>()
  for (const member of state.members.values()) {
    if (member.role === 'launching' || fresh(state, member, now))
      counted.set(member.region, (counted.get(member.region) ?? 0) + 1)
  }
  let total = [...counted.values()].reduce((sum, n) => sum + n, 0)
  const actions: Action[] = []
  const launch = (region: Region) => {
    actions.push({ type: 'launch', region: region.name })
    counted.set(region.name, (counted.get(region.name) ?? 0) + 1)
    total++
    budget--
  }

  for (const name of state.demands.keys()) {
    const region = state.regions.get(name)
    if (region && budget > 0 && !counted.get(name) && region.retryAt <= now) launch(region)
  }
  while (total < sessions + standby && budget > 0) {
    // The region with the fewest exits, and among those the one that was not used for longest.
    const [region] = [...state.regions.values()]
      .filter(({ retryAt }) => retryAt <= now)
      .sort(
        (a, b) => (counted.get(a.name) ?? 0) - (counted.get(b.name) ?? 0) || a.lastLaunchAt - b.lastLaunchAt,
      )
    if (!region) break
    launch(region)
  }
  return actions
}

function drains(state: FleetState, now: number): Action[] {
  const { sessions, standby, rotateMs } = state.settings
  const active = [...state.members.values()].filter(({ role }) => role === 'active')
  const atEnd = active.filter(member => now >= member.deadline - reserveMs)
  // Nobody is retired before the replacement is there: only what is more than wanted, the oldest first.
  const inUse = active
    .filter(member => usable(member, now))
    .sort((a, b) => replaceAt(a, rotateMs) - replaceAt(b, rotateMs))
  let left = inUse
  for (const member of inUse) {
    const others = left.filter(other => other !== member)
    // One that need not be replaced yet makes room only for its like.
    const alike = fresh(state, member, now) ? others.filter(other => fresh(state, other, now)) : others
    const regionIsServed =
      !state.demands.has(member.region) || alike.some(({ region }) => region === member.region)
    if (alike.length >= sessions + standby && regionIsServed) left = others
  }
  return [...atEnd, ...inUse.filter(member => !left.includes(member))].map(({ id }) => ({
    type: 'drain',
    id,
  }))
}

const closes = (state: FleetState, now: number): Action[] =>
  [...state.members.values()]
    .filter(
      ({ role, connections, busyAt }) => role === 'draining' && connections === 0 && busyAt + lingerMs <= now,
    )
    .map(({ id }) => ({ type: 'close', id }))
