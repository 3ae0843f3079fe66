import { plan } from '../../cli/client/fleet/plan.ts'
import {
  defaultFleetSettings,
  type ExitState,
  type FleetSettings,
  type FleetState,
  launching,
  newFleetState,
  ready,
} from '../../cli/client/fleet/state.ts'

/** A fleet that has not launched anything yet. */
export const fleet = (settings: Partial<FleetSettings> = {}, regions = ['here', 'there']): FleetState =>
  newFleetState({ ...defaultFleetSettings, ...settings }, regions)

let count = 0

/** An exit that has been up since `at`, of a function with ten minutes. */
export function up(state: FleetState, region: string, at: number, deadline = at + 600_000): ExitState {
  const id = `s${++count}`
  launching(state, id, region, at)
  ready(state, id, deadline, at)
  return state.exits.get(id)!
}

/** Where the plan launches. */
export const launched = (state: FleetState, now: number) =>
  plan(state, now).flatMap(action => (action.type === 'launch' ? [action.region] : []))

/** Whom it retires. */
export const retired = (state: FleetState, now: number) =>
  plan(state, now).flatMap(action => (action.type === 'drain' ? [action.id] : []))
