import type { Outbound } from './outbound.ts'
import { TargetError } from './target-errors.ts'

/** The outbound that leads nowhere. */
export const block: Outbound = async ({ host }) => {
  throw new TargetError('E_TARGET_BLOCKED', host)
}
