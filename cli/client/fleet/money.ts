import type { ErrorData } from '../../../tunnel/net/coded-error.ts'
import type { FleetState } from './state.ts'

// While the budget of dollars is used up no exit is launched, and those that run drain and are let go.

/** Says whether exits may be launched, as far as money goes. */
export interface Purse {
  /** Why none may; undefined where they may. */
  readonly refusal: ErrorData | undefined
  /** Hears when that changes. Gives the function that ends it. */
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

/** What is still open on an exit is ended. */
export const graceIsOver = ({ spentAt }: FleetState, now: number): boolean => now >= spentAt + graceMs
