import type { ProxyEvent } from './events.ts'
import type { SleepState } from './state.ts'

/** Whether the exits were stopped for lack of connections, and how often they were woken. */
export interface Sleep {
  apply(event: ProxyEvent, now: number): void
  readonly state: SleepState
}

export function createSleep(startedAt: number): Sleep {
  let state: SleepState = { phase: 'awake', since: startedAt, wakes: 0 }
  return {
    apply(event, now) {
      if (event.type === 'fleet.asleep') state = { ...state, phase: 'asleep', since: now }
      if (event.type === 'fleet.waking') state = { ...state, phase: 'waking', since: now }
      if (event.type === 'fleet.awake')
        state = { phase: 'awake', since: now, wakes: state.wakes + 1, lastWakeMs: event.ms }
    },
    get state() {
      return state
    },
  }
}
