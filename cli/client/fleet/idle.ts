import type { Events } from '../stats/events.ts'
import type { ExitState, FleetState } from './state.ts'

// While nobody uses the proxy no exit is launched, and those that run are let go.

/**
 * How often connections are counted: the end of the last one is known to within a tenth of the idle time.
 * Milliseconds.
 */
const countEvery = (idleMs: number) => Math.min(idleMs / 10, 10_000)

/** A connection asks for an exit, perhaps in a region. True when the plan is to be made anew. */
export function ask(state: FleetState, region: string | undefined, now: number): boolean {
  const wasIdle = isIdle(state, now)
  // Nobody wants what was asked for before the fleet fell asleep any more.
  if (wasIdle) {
    state.demands.clear()
    state.bans.demands.clear()
    state.freshness.demands.clear()
  }
  const isNew = region !== undefined && !state.demands.has(region)
  if (region !== undefined) state.demands.set(region, now)
  state.usedAt = now
  return wasIdle || isNew
}

/** Takes note of how many connections wait for an exit. */
export function awaited(state: FleetState, waiting: number, now: number): void {
  // One that has given up since they were last counted counts until now.
  if (waiting > 0 || state.waiting > 0) state.usedAt = now
  state.waiting = waiting
}

/** Whether nobody has used the proxy for the idle time, so that nothing is launched. */
export const isIdle = (state: FleetState, now: number): boolean =>
  now >= state.usedAt + state.settings.idleMs && !isInUse(state)

/**
 * It may be let go: nobody uses it, and whoever comes next can have another one at once, because its region works and
 * the launch budget is not used up.
 */
export const mayRest = (state: FleetState, exit: ExitState, now: number): boolean =>
  isIdle(state, now) &&
  state.launches.length < state.settings.launchesPerMinute &&
  state.regions.get(exit.region)!.retryAt <= now

/** When to check again whether the fleet is idle; Infinity while that cannot change. */
export function lookAt(state: FleetState, now: number): number {
  const { idleMs } = state.settings
  if (idleMs === Number.POSITIVE_INFINITY || isIdle(state, now)) return Number.POSITIVE_INFINITY
  const idleAt = state.usedAt + idleMs
  return idleAt > now ? Math.min(idleAt, now + countEvery(idleMs)) : now + countEvery(idleMs)
}

/** Tells when the fleet falls asleep, and how long it takes to wake. */
export interface SleepTeller {
  /** Before a plan is carried out. */
  before(state: FleetState, now: number): void
  /** It has been. */
  after(state: FleetState, now: number): void
}

export function sleepTeller(events: Events): SleepTeller {
  let phase: 'awake' | 'asleep' | 'waking' = 'awake'
  let askedAt = 0
  return {
    before(state, now) {
      if (phase !== 'asleep' || isIdle(state, now)) return
      phase = 'waking'
      askedAt = now
      events.emit({ type: 'fleet.waking' })
    },
    after(state, now) {
      if (isIdle(state, now)) {
        if (phase === 'asleep' || state.exits.size > 0) return
        phase = 'asleep'
        events.emit({ type: 'fleet.asleep', idleMs: state.settings.idleMs })
      } else if (phase === 'waking' && [...state.exits.values()].some(exit => exit.phase === 'active')) {
        phase = 'awake'
        events.emit({ type: 'fleet.awake', ms: now - askedAt })
      }
    },
  }
}

// --- internal ---

const isInUse = ({ exits, waiting }: FleetState) =>
  waiting > 0 || [...exits.values()].some(({ connections }) => connections > 0)
