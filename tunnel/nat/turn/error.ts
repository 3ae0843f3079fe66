import { CodedError } from '../../net/coded-error.ts'
import { printable } from '../../net/printable.ts'

export type TurnErrorCode =
  /** Nothing came back, or the connection was refused or broke. */
  | 'E_TURN_UNREACHABLE'
  | 'E_TURN_NAME_NOT_FOUND'
  /** TLS: the certificate is not trusted, or is another host's. */
  | 'E_TURN_CERTIFICATE'
  /** Wrong, expired, or of another realm. */
  | 'E_TURN_CREDENTIALS'
  /** This user has as many allocations as it may. */
  | 'E_TURN_QUOTA'
  /** The server has no more ports or bandwidth. */
  | 'E_TURN_FULL'
  /** The server will not relay to this peer, or at all. */
  | 'E_TURN_FORBIDDEN'
  /** Another refusal, or no TURN server. */
  | 'E_TURN_REFUSED'
  /** The allocation was there and is gone. */
  | 'E_TURN_LOST'

const hints: Record<TurnErrorCode, string> = {
  E_TURN_UNREACHABLE:
    'Check the server, its port and its transport; where UDP is blocked, name one by turns:host:443?transport=tcp.',
  E_TURN_NAME_NOT_FOUND: 'Check the name of the TURN server.',
  E_TURN_CERTIFICATE: 'Name the file of the authority that signed it, or another server.',
  E_TURN_CREDENTIALS:
    'Check the login or the shared secret; time-limited ones also need a clock that is right.',
  E_TURN_QUOTA: 'Wait until earlier sessions have ended, or ask the operator for a higher quota.',
  E_TURN_FULL: 'Try again later, or name another TURN server.',
  E_TURN_FORBIDDEN: 'Ask the operator of the TURN server to let it relay to public addresses.',
  E_TURN_REFUSED: 'Check that it is a TURN server, and that its operator lets this login relay UDP.',
  E_TURN_LOST: 'The next session asks for another allocation.',
}

/** A TURN server lends no address. The message names the server, never a credential. */
export class TurnError extends CodedError<TurnErrorCode> {
  override name = 'TurnError'
  constructor(
    code: TurnErrorCode,
    readonly server: string,
    reason: string,
    cause?: unknown,
  ) {
    super(code, `the TURN server ${server} ${reason}`, { hint: hints[code], cause })
  }
}

/** What an error response's code comes to (RFC 8489, section 14.8; RFC 8656, section 19). */
const refusals: Partial<Record<number, [code: TurnErrorCode, reason: string]>> = {
  401: ['E_TURN_CREDENTIALS', 'does not accept the credentials'],
  403: ['E_TURN_FORBIDDEN', 'forbids it'],
  437: ['E_TURN_LOST', 'knows no such allocation, or another one'],
  438: ['E_TURN_CREDENTIALS', 'calls every nonce stale'],
  441: ['E_TURN_CREDENTIALS', 'has the allocation under other credentials'],
  442: ['E_TURN_REFUSED', 'relays no UDP'],
  486: ['E_TURN_QUOTA', 'gives this login no more allocations'],
  508: ['E_TURN_FULL', 'has no room for another allocation'],
}

/** The error that a refusal is; `text` is the server's own. */
export function refusal(server: string, number: number, text: string): TurnError {
  const [code, reason] = refusals[number] ?? ['E_TURN_REFUSED', 'refused']
  const words = printable(text, 100)
  return new TurnError(code, server, `${reason} (${number}${words === '' ? '' : ` ${words}`})`)
}
