import type { Endpoint } from '../net/endpoint.ts'
import type { UdpOptions, UdpSocket } from '../net/udp/socket.ts'
import type { Identity } from './identity.ts'
import type { Role, Tuning } from './tuning.ts'

// What stands under the face (connection.ts, stream.ts): an engine opens a session's UDP socket and runs one QUIC
// connection on it. All engines speak the same wire format, so the two ends need not have the same one.

/** A QUIC implementation. */
export interface Engine {
  readonly name: string
  /** Its library's version. */
  readonly version: string
  /** Opens an IPv4 UDP socket that `connect` can take over. Rejects with the system's error. */
  openSocket(options?: UdpOptions): Promise<UdpSocket>
  /**
   * Takes a punched socket over: from here on nothing of any other source is delivered. `socket` is one that this
   * engine opened; it stays the caller's to close, after the connection. Rejects when the system refuses.
   */
  connect(options: EngineOptions): Promise<EngineConnection>
}

export interface EngineOptions {
  socket: UdpSocket
  peer: Endpoint
  role: Role
  identity: Identity
  /** SHA-256 of the certificate that the peer must show, 64 hexadecimal digits. */
  pin: string
  tuning: Tuning
  /** The peer's QUIC packets that came before: they are the first to be heard. */
  early: readonly Uint8Array[]
  handlers: EngineHandlers
}

/** What an engine tells, each from the event loop and never from within a call of its own but `connect`. */
export interface EngineHandlers {
  /** The handshake is done and the peer's certificate is the pinned one. No stream is told of in the same turn. */
  onConnected(): void
  /** The connection is over, for another reason than a call of `close`. Told once; nothing follows. */
  onClosed(close: EngineClose): void
  /** The peer has opened a stream. */
  onOpened(stream: number): void
  /**
   * There are bytes, the end or a reset to be read. It may be told again while there are, but need not: a reader
   * goes on until it gets 0 or less, or asks by `readLater`.
   */
  onReadable(stream: number): void
  /** A stream whose last write was not taken whole may take more. */
  onWritable(stream: number): void
  /** The peer has reset the stream or refuses what is sent on it. An engine may tell so by `streamGone` alone. */
  onGone(stream: number): void
  /** A QUIC datagram (RFC 9221); the bytes are valid only until it returns. */
  onDatagram(datagram: Uint8Array): void
  /** A UDP packet of the peer's that is not QUIC: a late check, say. Valid only until it returns. */
  onPacket(packet: Uint8Array): void
}

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
  /** Bytes taken; when these are not all, `onWritable` follows. `streamGone` when none will ever be. */
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
