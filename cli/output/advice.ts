import { CodedError, type ErrorData } from '../../tunnel/net/coded-error.ts'

/** What to do about a code, in terms of this program's own commands and options; it stands in place of the error's hint. */
const advice: Partial<Record<string, string>> = {
  E_STUN_UNREACHABLE:
    'UDP may be blocked on this network, or the servers may be wrong: try --stun host:port with another server.',
  E_STUN_NAME_NOT_FOUND:
    'There may be no network, or no DNS: check both, or try --stun host:port with another server.',
  E_BUCKET_NOT_FOUND: 'Check --bucket and --region, or run "lambda-nat-proxy deploy".',
  E_BUCKET_WRONG_REGION: 'Name its region with --region.',
  E_ANSWER_TIMEOUT:
    'The function may have failed to start: look at its log with "lambda-nat-proxy status --logs", and check that the bucket notifies it of new offers.',
  E_DOCUMENT_VERSION: 'Update the older end: this program, or the function with "lambda-nat-proxy deploy".',
  E_OFFER_INVALID: 'Update the older end: this program, or the function with "lambda-nat-proxy deploy".',
  E_OFFER_CANDIDATES: 'Name a STUN server on the public internet with --stun.',
  E_EXIT_SETTINGS: 'Correct the setting that is named, and run "lambda-nat-proxy deploy".',
  E_EXIT_FAILED: 'Look at the function\u2019s log with "lambda-nat-proxy status --logs".',
}

/** What there is to do about an error; undefined where nothing is known. */
export const adviceFor = ({ code, hint }: Pick<ErrorData, 'code' | 'hint'>): string | undefined =>
  advice[code] ?? hint

/** What happened, and what to do about it. */
export function withAdvice(data: ErrorData): string {
  const next = adviceFor(data)
  return next === undefined ? data.message : `${data.message}. ${next}`
}

/** Whatever was thrown, in words for a person. */
export function inWords(error: unknown): string {
  if (error instanceof CodedError) return withAdvice(error.toJSON())
  return error instanceof Error ? error.message : String(error)
}
