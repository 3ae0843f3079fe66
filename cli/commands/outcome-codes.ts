import type { Outcome } from '../deploy/change.ts'
import { type ExitCode, exitCodeMeanings, exitCodes } from '../output/exit-codes.ts'

/** What deploy and destroy end with. */
export const outcomeCodes: Record<Outcome, number> = {
  changed: exitCodes.done,
  unchanged: exitCodes.done,
  planned: exitCodes.done,
  refused: exitCodes.refused,
  interrupted: exitCodes.interrupted,
}

/** The same for help. */
export const outcomeMeanings: Partial<Record<ExitCode, string>> = {
  done: 'done, nothing to do, or --plan',
  refused: exitCodeMeanings.refused,
  interrupted: exitCodeMeanings.interrupted,
}
