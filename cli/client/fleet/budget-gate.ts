import type { ErrorData } from '../../../tunnel/net/coded-error.ts'
import type { FleetState } from './state.ts'

// While the budget of dollars is used up no exit is launched, and those that run drain and are let go.

/** Whether the budget allows exits to be launched. */
export interface BudgetGate {
  /** Why none may; undefined where they may. */
  readonly refusal: ErrorData | undefined
  /** Calls the listener when that changes, until the function that it returns is called. */
  subscribe(listener: () => void): () => void
}

/** What is open when the budget is used up may go on for this long: data out costs more than time. Milliseconds. */
export const graceMs = 60_000

/** Takes note of whether the budget is used up. */
export function spent(state: FleetState, isSpent: boolean, now: number): void {
  if (!isSpent) state.spentAt = Number.POSITIVE_INFINITY
  else if (state.spentAt === Number.POSITIVE_INFINITY) state.spentAt = now
}

export const isSpent = ({ spentAt }: FleetState): boolean => spentAt < Number.POSITIVE_INFINITY

/** Whether connections that are still open are to be ended. */
export const graceIsOver = ({ spentAt }: FleetState, now: number): boolean => now >= spentAt + graceMs
