import type { Cancellation } from '../tunnel/net/cancellation.ts'
import type { QuicStream } from '../tunnel/quic/stream.ts'
import type { Target } from '../tunnel/session/frames/address.ts'

/** A connection to a target, made for a stream. */
export interface Outlet {
  /** The exit's own end of it. */
  readonly bound: Target
  /** Aborted when it is closed: a descriptor is free again. */
  readonly gone: Cancellation
  /** Breaks off one that is not joined. */
  abort(): void
  /**
   * Joins it with its stream, which nobody owns, until both directions have ended. A break on either side breaks the
   * other, behind what was said before it.
   */
  join(stream: QuicStream): void
}

/** An outlet that is being made. */
export interface Attempt {
  /** Rejects with the system's error, which has a `code`. */
  readonly outlet: Promise<Outlet>
  /** Gives it up, or breaks off what it has come to. */
  cancel(): void
}

/** Starts connecting to an IP address by TCP. */
export type Connect = (address: string, port: number) => Attempt
