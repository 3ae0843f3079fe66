import { type ErrorData, errorData } from '../../../tunnel/net/coded-error.ts'
import type { AwsErrorCode } from '../../../tunnel/signalling/aws-errors.ts'
import type { SignalErrorCode } from '../../../tunnel/signalling/errors.ts'
import type { Step } from '../stats/events.ts'
import { LaunchError } from './launch.ts'

/** What there is to tell of a launch that failed. */
export interface Failure extends ErrorData {
  step: Step
  /** One in this region failed for the same reason since an exit last came up there. */
  repeated: boolean
}

/** Keeps track of failed launches, so that each reason is told once, and that hopeless ones are recognised. */
export interface Failures {
  /** Takes note of one, and gives what there is to tell. */
  note(region: string, error: unknown): Failure
  /** An exit came up in the region: its reasons are news again. */
  recovered(region: string): void
  /** Resolves when no exit ever came up and none can without somebody's doing. */
  readonly hopeless: Promise<void>
}

/** Causes that another attempt cannot get past. */
const fatal = new Set<string>([
  'E_AWS_CREDENTIALS_MISSING',
  'E_AWS_CREDENTIALS_INVALID',
  'E_AWS_CREDENTIALS_EXPIRED',
  // With the trigger `invoke`.
  'E_AWS_ACCESS_DENIED',
  'E_BUCKET_NOT_FOUND',
  'E_BUCKET_ACCESS_DENIED',
  'E_BUCKET_FOREIGN',
  'E_BUCKET_WRONG_REGION',
] satisfies (SignalErrorCode | AwsErrorCode)[])

export function createFailures(regions: readonly string[]): Failures {
  const known = new Map<string, { told: Set<string>; fatal: boolean }>()
  const hopeless = Promise.withResolvers<void>()
  let everUp = false
  return {
    note(region, error) {
      const step = error instanceof LaunchError ? error.step : 'stun'
      const data = errorData(error)
      // Counts and ports differ from one time to the next; step and code are the reason.
      const reason = `${step} ${data.code}`
      const told = known.get(region)?.told ?? new Set<string>()
      const repeated = told.has(reason)
      known.set(region, { told: told.add(reason), fatal: fatal.has(data.code) })
      if (!everUp && regions.every(name => known.get(name)?.fatal)) hopeless.resolve()
      return { step, ...data, repeated }
    },
    recovered(region) {
      everUp = true
      known.delete(region)
    },
    hopeless: hopeless.promise,
  }
}
