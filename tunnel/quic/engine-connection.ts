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
  /** Only of an engine with TCP connections of its own. */
  readonly targets?: EngineTargets
  /** Only of an engine that can lose the end of a stream: finds those ends, four times a second. */
  readonly lostEnds?: LostEnds
}

/**
 * An engine's own TCP connections to targets, by number. It splices them with streams: the bytes go to and fro without a
 * step of JavaScript's.
 */
export interface EngineTargets {
  /**
   * Starts connecting to an IP address, and gives the target's number. `told` is called once, never from within this
   * call and not after `hangUp`: with nothing when it is connected, or with an error that has the system's code.
   */
  dial(address: string, port: number, told: (error?: Error) => void): number
  /** This end of a connected target. */
  local(target: number): Endpoint
  /** Breaks off a target that is not joined, or is still being dialled. */
  hangUp(target: number): void
  /** Joins a stream with a connected target, which nobody else may use from here on. */
  join(stream: number, target: number, before: ReadBefore, handlers: JointHandlers): void
  /** The peer breaks the stream off behind so many bytes of what is read since `join`, an end counted as one. */
  breakAt(stream: number, at: number): void
  /** Gives a joined stream up at once. */
  part(stream: number): void
  /** What is left of a stream whose target broke off. */
  leftover(stream: number): Leftover
}

/** What was read before a stream is joined with a target, and goes first. */
export interface ReadBefore {
  /** Of the stream, for the target. */
  up: Uint8Array
  /** For the stream: what the engine has not taken yet. */
  down: Uint8Array
  /** The stream's end was read, too. It counts as read since `join`. */
  ended: boolean
}

/** What a joint tells, each once. */
export interface JointHandlers {
  parted(how: Parting): void
  /** The target is closed, and its descriptor free: then, or later, when something was still to be delivered. */
  hungUp(): void
}

/**
 * Both directions have ended; the target broke off, and the stream is the caller's again; the stream was given up, by
 * whomever; so it was, after this end had finished it.
 */
export type Parting = 'complete' | 'target-broke' | 'stream-gone' | 'stream-gone-finished'

/** Where a stream stands behind what it was joined with. */
export interface Leftover {
  /** Bytes read and written since `join`, an end counted as one. */
  read: number
  written: number
  /** The peer's end was read. */
  ended: boolean
  /** This end was finished. */
  finished: boolean
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
