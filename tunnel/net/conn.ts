import type { Cancellation } from './cancellation.ts'

/**
 * A connection whatever carries it: a TCP socket of either runtime, or a QUIC stream. It has one owner at a time, which
 * alone hears of it and may call its methods. Backpressure in both directions is the point of it: neither side ever
 * queues more than one chunk.
 */
export interface Conn {
  /**
   * Makes these handlers the connection's owner, and gives the function that ends that. What has been waiting, and an
   * end or close that was told to another owner before, is told soon after, never from within this call. Throws a
   * CodedError, E_CONN_OWNED, when somebody else owns it.
   */
  attach(handlers: ConnHandlers): Detach
  /** Aborted when the connection is gone, whoever owns it. */
  readonly gone: Cancellation
  /** A chunk is being kept: the next write must wait for `drain`. */
  readonly full: boolean
  /**
   * Writes a chunk. True: it is taken, and the buffer is the caller's again. False: the connection keeps it, by
   * reference, until `drain`. On a connection that is gone or refuses what it is sent, chunks are taken and lost.
   */
  write(chunk: Uint8Array): boolean
  /** Ends our direction (FIN), behind what was written. */
  end(): void
  /**
   * Breaks the connection: reads no more, delivers what was written as far as the peer takes it within `lingerMs`
   * milliseconds (300,000 by default; 0: at once), and then tells it of a break (RST, RESET_STREAM) and not of an end.
   */
  abort(lingerMs?: number): void
  /** Neither data nor end are told until `resume`. */
  pause(): void
  resume(): void
}

/** What an owner hears. Each direction goes by itself; data comes before the end, and the end before the close. */
export interface ConnHandlers {
  /**
   * A chunk came. It is lent until this returns or, when `pause` was called meanwhile, until `resume`: so it may be
   * handed to another connection's `write`, and stay there while this one is paused. (On Node the sockets' chunks are
   * lent until it returns, and `write` copies what it keeps of them.)
   */
  data(chunk: Uint8Array): void
  /** The peer ended its direction. */
  end(): void
  /** The chunk that was kept is taken: there is room for another. */
  drain(): void
  /**
   * The connection is gone, whichever way; nothing follows. `broken`: somebody broke it, or it was lost, before both
   * directions had ended.
   */
  close(broken: boolean): void
}

/**
 * Ends an ownership; when it has ended already, nothing happens. While nobody owns the connection it reads no further
 * than what is on its way to us, and remembers what it should tell. `rest` is what the owner has read too far: it is
 * copied, and comes first for the next one.
 */
export type Detach = (rest?: Uint8Array) => void

/** A TCP connection on which nothing goes is probed after so long: its peer may be gone without a word. Milliseconds. */
export const keepAliveMs = 60_000

/** What was written to a connection that is being broken may take so long to be delivered. Milliseconds. */
export const defaultLingerMs = 300_000
