import { CodedError, type CodedErrorOptions } from '../net/coded-error.ts'
import { type AwsErrorCode, diagnose } from './aws-errors.ts'
import type { RefusalCode } from './refusal.ts'

/** What goes wrong with the bucket, or with what is exchanged through it. */
export type SignalErrorCode =
  | Exclude<AwsErrorCode, keyof typeof ofBucket>
  | (typeof ofBucket)[keyof typeof ofBucket]
  /** Somebody else's bucket has the name. */
  | 'E_BUCKET_FOREIGN'
  /** There is no such offer any more: it was deleted, or this end may not know. */
  | 'E_OFFER_GONE'
  /** Nothing was written within the limit. */
  | 'E_ANSWER_TIMEOUT'
  /** The function refused the offer for a reason that this release does not know. */
  | 'E_OFFER_REFUSED'
  | RefusalCode

/** Signalling through the bucket failed. */
export class SignalError extends CodedError<SignalErrorCode> {
  override name = 'SignalError'
}

/** Turns whatever the SDK threw into a SignalError. `doing` completes "could not …". */
export function explain(error: unknown, doing: string, bucket: string): SignalError {
  if (error instanceof SignalError) return error
  const { code, message, hint } = diagnose(error, { service: 'S3', resource: `the bucket ${bucket}` })
  const options: CodedErrorOptions = { hint, cause: error }
  return new SignalError(codeOfBucket(code), `could not ${doing}: ${message}`, options)
}

// --- internal ---

/** Where it is the bucket that is meant, its own code says so. */
const ofBucket = {
  E_AWS_ACCESS_DENIED: 'E_BUCKET_ACCESS_DENIED',
  E_AWS_WRONG_REGION: 'E_BUCKET_WRONG_REGION',
} as const

const isOfBucket = (code: AwsErrorCode): code is keyof typeof ofBucket => code in ofBucket
const codeOfBucket = (code: AwsErrorCode) => (isOfBucket(code) ? ofBucket[code] : code)
