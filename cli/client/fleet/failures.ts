import { SignalError, type SignalErrorCode } from '../../../tunnel/signalling/errors.ts'
import type { Step } from '../stats/events.ts'
import { LaunchError } from './launch.ts'

/** What is known of launches that failed, to tell each reason once and to know when it is hopeless. */
export interface Failures {
  /** Takes note of one, and gives what there is to tell. */
  note(region: string, error: unknown): { step: Step; message: string; repeated: boolean }
  /** An exit came up in the region: its reasons are news again. */
  recovered(region: string): void
  /** Resolves when no exit ever came up and none can without somebody's doing: with what to tell the person. */
  readonly hopeless: Promise<string>
}

/** Causes that another try does not mend. */
const fatal = new Set<SignalErrorCode>([
  'no-credentials',
  'bad-credentials',
  'expired-credentials',
  'no-such-bucket',
  'access-denied',
  'wrong-region',
])
/** Reasons remembered a region; the first makes room. */
const maxReasons = 100

export function createFailures(regions: readonly string[]): Failures {
  const known = new Map<string, { told: Set<string>; fatal: boolean }>()
  const hopeless = Promise.withResolvers<string>()
  let everUp = false
  return {
    note(region, error) {
      const step = error instanceof LaunchError ? error.step : 'stun'
      const message = error instanceof Error ? error.message : String(error)
      const cause = error instanceof LaunchError ? error.cause : error
      // Counts and ports differ from one time to the next; the reason is the same.
      const reason = message.replace(/\d+/g, '#')
      const told = known.get(region)?.told ?? new Set<string>()
      const repeated = told.has(reason)
      known.set(region, {
        told: told.add(reason),
        fatal: cause instanceof SignalError && fatal.has(cause.code),
      })
      const [first] = told
      if (told.size > maxReasons && first !== undefined) told.delete(first)
      if (!everUp && regions.every(name => known.get(name)?.fatal)) hopeless.resolve(message)
      return { step, message, repeated }
    },
    recovered(region) {
      everUp = true
      known.delete(region)
    },
    hopeless: hopeless.promise,
  }
}
