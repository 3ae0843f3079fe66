import type { Cancellation } from '../../../tunnel/net/cancellation.ts'
import { CodedError, type ErrorData } from '../../../tunnel/net/coded-error.ts'
import type { Conn } from '../../../tunnel/net/conn.ts'
import type { Target } from '../../../tunnel/session/frames/address.ts'
import type { ReplyCode } from '../../../tunnel/session/frames/reply.ts'
import type { RelayEnd } from '../../../tunnel/session/relay-report.ts'
import type { Login } from '../accounts/login.ts'

/** Who asks for a connection, as far as an outbound needs to know. */
export interface Requester {
  /** The user name of its login, parameters and all. */
  user?: string | undefined
  /** Whose login it is, where one is needed. */
  login?: Login | undefined
  /** What it speaks, and is refused in. */
  protocol?: 'socks5' | 'http'
  /** Aborted when the requester is gone. */
  signal: Cancellation
  /** What it asks for is a connection and not an answer: it may be told that it has one before the target is reached. */
  takesEarly?: boolean
}

/** A connection to a target. Nothing has been carried on it yet. */
export interface OutboundConn {
  /** The session that it goes through, where it goes through one. */
  readonly session: string | undefined
  /** The near end of the connection to the target, wherever that is. */
  readonly bound: Target
  /** It reads nothing before somebody owns it. */
  readonly conn: Conn
  /** Where the target is not reached yet: settles when it is, or rejects with an OutboundError, and `conn` breaks. */
  readonly confirmed?: Promise<void>
  /** Why it was broken off, where it is known that nobody else did it. */
  brokenBy?(): Extract<RelayEnd, 'deadline' | 'quota'> | undefined
  /** It is kept for another request, and given up when its place is wanted; undefined: it is used again. */
  rest?(giveUp: (() => void) | undefined): void
  /** Whether another request may go on it; where nothing is said it may. */
  mayReuse?(): boolean
}

/** A way to a target. Rejects with an OutboundError, or with the signal's reason. */
export type Outbound = (target: Target, requester: Requester) => Promise<OutboundConn>

/** Asked before any outbound is: throws an OutboundError where no connection may be made now. */
export type Gate = (requester: Requester) => void

/**
 * `refused`: the target, the exit or a rule said no. `limited`: the login may not have it. `no-exit`, `exit-lost` and
 * `unavailable`: it is us who cannot.
 */
export type OutboundErrorKind = 'refused' | 'limited' | 'no-exit' | 'exit-lost' | 'unavailable'

/** There is no connection; `reply` is what SOCKS says of it, the code says why. */
export class OutboundError extends CodedError {
  override readonly name = 'OutboundError'
  constructor(
    readonly kind: OutboundErrorKind,
    readonly reply: ReplyCode,
    { code, message, hint }: ErrorData,
  ) {
    super(code, message, { hint })
  }
}

/** Not we are in the way: the target, the exit, a rule, or what the login may have. */
export const isRefusal = (error: unknown): error is OutboundError =>
  error instanceof OutboundError && (error.kind === 'refused' || error.kind === 'limited')
