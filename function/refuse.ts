import { CandidateError } from '../tunnel/nat/ice/candidates.ts'
import { StunError } from '../tunnel/nat/stun/discover.ts'
import { errorData } from '../tunnel/net/coded-error.ts'
import { DocumentError } from '../tunnel/signalling/documents.ts'
import { RefusalError } from '../tunnel/signalling/refusal.ts'
import { exhausted } from './exhausted.ts'

/** What a client is told of an error that keeps the function from answering. Its message is at most 500 characters. */
export function asRefusal(error: unknown): RefusalError {
  if (error instanceof RefusalError) return error
  const { code, message } = errorData(error)
  const text = message.length > 499 ? `${message.slice(0, 499)}…` : message
  if (error instanceof DocumentError) return new RefusalError('E_OFFER_INVALID', text, { cause: error })
  if (error instanceof StunError) return new RefusalError('E_EXIT_STUN_UNREACHABLE', text, { cause: error })
  if (error instanceof CandidateError) return new RefusalError('E_OFFER_CANDIDATES', text, { cause: error })
  if (exhausted.has(code)) return new RefusalError('E_EXIT_FULL', text, { cause: error })
  return new RefusalError('E_EXIT_FAILED', text, { cause: error })
}
