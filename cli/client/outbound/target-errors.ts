import { isIP } from 'node:net'
import {
  type RefusalReason,
  type Reply,
  type ReplyCode,
  reply,
} from '../../../tunnel/session/frames/reply.ts'
import { OutboundError } from './outbound.ts'

/** Why a target cannot be had. What SOCKS, HTTP, the page and the terminal say of it follows from the code. */
export type TargetErrorCode =
  | 'E_TARGET_PRIVATE'
  | 'E_TARGET_BLOCKED'
  | 'E_TARGET_INVALID'
  | 'E_TARGET_NOT_FOUND'
  | 'E_TARGET_REFUSED'
  | 'E_TARGET_TIMEOUT'
  | 'E_TARGET_NETWORK_UNREACHABLE'
  | 'E_TARGET_UNREACHABLE'
  | 'E_TARGET_FORBIDDEN'
  | 'E_ADDRESS_FAMILY_NOT_SUPPORTED'
  | 'E_TARGET_FAILED'
  | 'E_ASSOCIATIONS_FULL'
  | 'E_EXIT_FULL'

/** A target is refused. The message does not name it: where connections go is not for everybody to see. */
export class TargetError extends OutboundError {
  /** What is so of the target, for a sentence that begins with its name. */
  readonly says: string

  constructor(code: TargetErrorCode, host: string) {
    const { reply, says, ofName = says, hint } = errors[code]
    const predicate = isIP(host) === 0 ? ofName : says
    super('refused', reply, { code, message: `the target ${predicate}`, ...(hint && { hint }) })
    this.says = predicate
  }
}

/** The error for what an exit answered. */
export const targetErrorOf = ({ code, reason }: Reply, host: string): TargetError =>
  new TargetError((reason && byReason[reason]) ?? byReply[code] ?? 'E_TARGET_FAILED', host)

// --- internal ---

interface TargetErrorText {
  reply: ReplyCode
  says: string
  /** The same of a name, where that is something else. */
  ofName?: string
  hint?: string
}

const errors: Record<TargetErrorCode, TargetErrorText> = {
  E_TARGET_PRIVATE: {
    reply: reply.notAllowed,
    says: 'is a private address, which this exit refuses',
    ofName: 'resolves to a private address, which this exit refuses',
    hint: 'Set allow_private in the deployment, or start with --allow-private where the exits run on this machine.',
  },
  E_TARGET_BLOCKED: { reply: reply.notAllowed, says: 'is blocked by a rule' },
  E_TARGET_INVALID: { reply: reply.failure, says: 'is not a valid host and port' },
  E_TARGET_NOT_FOUND: { reply: reply.hostUnreachable, says: 'could not be resolved' },
  E_TARGET_REFUSED: { reply: reply.refused, says: 'refused the connection' },
  E_TARGET_TIMEOUT: { reply: reply.ttlExpired, says: 'did not answer in time' },
  E_TARGET_NETWORK_UNREACHABLE: {
    reply: reply.networkUnreachable,
    says: 'is on a network that cannot be reached',
  },
  E_TARGET_UNREACHABLE: { reply: reply.hostUnreachable, says: 'could not be reached' },
  E_TARGET_FORBIDDEN: { reply: reply.notAllowed, says: 'may not be reached from there' },
  E_ADDRESS_FAMILY_NOT_SUPPORTED: {
    reply: reply.addressTypeNotSupported,
    says: 'has only addresses of a family that cannot be reached from there',
  },
  E_TARGET_FAILED: { reply: reply.failure, says: 'could not be reached' },
  E_ASSOCIATIONS_FULL: {
    reply: reply.failure,
    says: 'got no UDP association: all are in use, and none is idle',
    hint: 'Close an application that uses UDP through the proxy.',
  },
  E_EXIT_FULL: {
    reply: reply.failure,
    says: 'could not be reached: the exit is full, and no other has room',
    hint: 'Raise --sessions, so that connections spread over more exits, or give the function more memory.',
  },
}

const byReason: Record<RefusalReason, TargetErrorCode> = {
  'private-address': 'E_TARGET_PRIVATE',
  'name-not-found': 'E_TARGET_NOT_FOUND',
  'invalid-target': 'E_TARGET_INVALID',
  'no-room': 'E_ASSOCIATIONS_FULL',
}

const byReply: Partial<Record<ReplyCode, TargetErrorCode>> = {
  [reply.notAllowed]: 'E_TARGET_FORBIDDEN',
  [reply.networkUnreachable]: 'E_TARGET_NETWORK_UNREACHABLE',
  [reply.hostUnreachable]: 'E_TARGET_UNREACHABLE',
  [reply.refused]: 'E_TARGET_REFUSED',
  [reply.ttlExpired]: 'E_TARGET_TIMEOUT',
  [reply.addressTypeNotSupported]: 'E_ADDRESS_FAMILY_NOT_SUPPORTED',
}
