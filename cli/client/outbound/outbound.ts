import type { Target } from '../../../tunnel/session/frames/address.ts'
import type { ReplyCode } from '../../../tunnel/session/frames/reply.ts'
import type { RelayOptions, Wire } from '../../../tunnel/session/relay.ts'

/** Who asks for a connection, as far as a road needs to know. */
export interface Asker {
  /** The user name of its login, parameters and all. */
  user?: string | undefined
  /** Aborted when the asker is gone. */
  signal: AbortSignal
}

/** A connection to a target. Nothing has been carried on it yet; `carry` must follow at once. */
export interface Passage {
  /** The session that it goes through, where it goes through one. */
  readonly session: string | undefined
  /** The near end of the connection to the target, wherever that is. */
  readonly bound: Target
  /** Joins the asker's wire to the target until both have ended. */
  carry(wire: Wire, options: RelayOptions): void
}

/** A way to a target. Rejects with a RoadError, or with the signal's reason. */
export type Road = (target: Target, asker: Asker) => Promise<Passage>

/** `refused`: the target, the exit or a rule said no. `no-exit` and `exit-lost`: it is us who cannot. */
export type RoadErrorKind = 'refused' | 'no-exit' | 'exit-lost'

/** There is no connection; `reply` is what SOCKS says of it. */
export class RoadError extends Error {
  override name = 'RoadError'
  constructor(
    readonly kind: RoadErrorKind,
    readonly reply: ReplyCode,
    message: string,
  ) {
    super(message)
  }
}
