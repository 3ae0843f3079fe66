import type { Outcome } from '../deploy/change.ts'
import { exitCodes } from '../output/exit-codes.ts'

/** What deploy and destroy end with. */
export const outcomeCodes: Record<Outcome, number> = {
  changed: exitCodes.done,
  unchanged: exitCodes.done,
  planned: exitCodes.done,
  refused: exitCodes.refused,
  interrupted: exitCodes.interrupted,
}
