import type { Endpoint } from '../net/endpoint.ts'

// What an engine gives the face (connection.ts, stream.ts) to work with.

/** `read`: all that the peer sent has been read. */
export const streamEnded = -1
/** `read` and `write`: the peer has reset or refused the stream, or nothing is left of it. */
export const streamGone = -2

/**
 * A running connection. Streams go by their QUIC ids (RFC 9000, section 2.1). Once it is over every call is without
 * effect.
 */
export interface EngineConnection {
  /** Opens a bidirectional stream; undefined when the peer allows no more now. */
  open(): number | undefined
  /** Bytes read into `buffer`, which is not empty; 0 when there is nothing now; `streamEnded` or `streamGone`. */
  read(stream: number, buffer: Uint8Array): number
  /** Tells `onReadable` once more in the next turn of the event loop, if there is still something to read. */
  readLater(stream: number): void
  /**
   * Bytes taken; when these are not all, `onWritable` follows. `streamGone` when none will ever be, which an empty
   * chunk only asks.
   */
  write(stream: number, chunk: Uint8Array): number
  /** Ends our direction behind what was written (FIN). */
  finish(stream: number): void
  /** Gives up our direction (RESET_STREAM, RFC 9000, section 19.4) and what of it is not yet delivered. */
  reset(stream: number, code: number): void
  /** Wants no more of the peer's direction (STOP_SENDING, section 19.5). */
  stop(stream: number, code: number): void
  /** Whether something of the stream is still to be delivered to the peer; false for one that never was. */
  isKept(stream: number): boolean
  /** Sends a QUIC datagram; false when it is too large or no more may wait, and it was not sent. */
  sendDatagram(datagram: Uint8Array): boolean
  /** The largest datagram that fits now, in bytes; 0 when the peer takes none. */
  maxDatagram(): number
  /** Asks the peer for a sign of life (PING, section 19.2). */
  ping(): void
  /**
   * The peer is at another address from here on, which QUIC does not notice; what still comes from the one before is
   * heard too. Without effect unless the peer may move.
   */
  moveTo(peer: Endpoint): void
  /** Packets of the peer's so far. */
  readonly received: number
  stats(): ConnectionStats
  /** Tells the peer an application close code and a reason, and ends at once. */
  close(code: number, reason: string): void
  /** Only of an engine that can lose the end of a stream: finds those ends, four times a second. */
  readonly lostEnds?: LostEnds
}

/** Where an engine may miss the end of a stream, the other end is asked for it. */
export interface LostEnds {
  /** Tells what was missed here, and gives the streams whose end the peer should be asked for. */
  look(): number[]
  /** The peer has ended the stream, and all that it sent is here: what is not read yet is still read first. */
  settle(stream: number): void
}

export interface ConnectionStats {
  /** Round-trip time in milliseconds. */
  rttMs: number
  /** Packets lost and sent so far. */
  lost: number
  sent: number
  /** System calls by which they were sent. */
  batches: number
  /** What was found out about the path; undefined where the engine does not tell. */
  path?: PathStats
}

export interface PathStats {
  /** The largest UDP payload that is known to get through, bytes (RFC 8899); it grows while larger ones are tried. */
  mtu: number
  /** Times that packets of a size which had got through were swallowed (RFC 8899, section 4.3): the size fell back. */
  blackHoles: number
  /**
   * Packets are marked as ECN-capable. They are from the first one on, until the peer's acknowledgements show that the
   * path or the peer loses the marks (RFC 9000, section 13.4.2); so false after the handshake says that ECN is broken.
   */
  ecn: boolean
  /** Packets of the peer's that came marked with congestion (CE). */
  congestionMarks: number
}

/** Why a connection is over, as the engine knows it. */
export interface EngineClose {
  /**
   * An application close, a transport error (RFC 9000, section 20), a certificate that is not the pinned one,
   * silence for the idle timeout, or the engine's own failure.
   */
  kind: 'application' | 'transport' | 'wrong-pin' | 'timed-out' | 'failed'
  /** The peer ended it, or refused us; otherwise this end did. */
  byPeer: boolean
  /** Of the application's or the transport's codes; 0 elsewhere. */
  code: number
  /** In the closing end's words. The peer's are anybody's text. */
  reason: string
}
