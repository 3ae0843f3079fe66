import { CodedError } from '../net/coded-error.ts'

/** Why a function answers no offer, with what the person at the client can do about it. */
const hints = {
  /** The offer is older than its lifetime. */
  E_OFFER_EXPIRED: 'Try again: the offer took too long to reach the function.',
  /** The clocks of client and function, or of client and S3, are too far apart. */
  E_OFFER_CLOCK: "Set this machine's clock, for example with NTP.",
  /** The offer is not what the function understands. */
  E_OFFER_INVALID: 'Bring the client and the deployment to the same version.',
  /** The offer names no address that the exit may send to. */
  E_OFFER_CANDIDATES: 'Name a STUN server on the public internet: it decides which address is offered.',
  /** The exit does not know its own public address. */
  E_EXIT_STUN_UNREACHABLE:
    'Whoever deployed the function: let it reach a STUN server by UDP, or name another.',
  /** The deployment's settings are malformed. */
  E_EXIT_SETTINGS: 'Whoever deployed the function: correct the setting that is named, and deploy again.',
  /** No more descriptors or memory for another session. */
  E_EXIT_FULL: 'Try again: another exit takes the session.',
  /** Anything else before the answer. */
  E_EXIT_FAILED: "The function's log has the details.",
} as const

export type RefusalCode = keyof typeof hints

/** What a code of the function's asks of the person; undefined for one that this release does not know. */
export const refusalHint = (code: string): string | undefined =>
  Object.hasOwn(hints, code) ? hints[code as RefusalCode] : undefined

/** True for the codes that blame the offer: the exit itself is well. */
export const blamesOffer = (code: string): boolean => code.startsWith('E_OFFER_')

/** The exit will not answer an offer; it is what the refusal document says. */
export class RefusalError extends CodedError<RefusalCode> {
  override name = 'RefusalError'
}
