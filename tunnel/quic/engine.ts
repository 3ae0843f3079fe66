import type { Endpoint } from '../net/endpoint.ts'
import type { UdpOptions, UdpSocket } from '../net/udp/socket.ts'
import type { EngineClose, EngineConnection } from './engine-connection.ts'
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
   * Takes a punched socket over: from here on nobody else's QUIC is listened to, and nothing else of theirs either,
   * unless the peer may move. `socket` is one that this
   * engine opened; it stays the caller's to close, after the connection. Rejects when the system refuses.
   */
  connect(options: EngineOptions): Promise<EngineConnection>
}

export interface EngineOptions {
  socket: UdpSocket
  peer: Endpoint
  /** The peer may move (`EngineConnection.moveTo`): what is not QUIC is then passed on whoever sent it. */
  mayMove: boolean
  role: Role
  identity: Identity
  /** SHA-256 of the certificate that the peer must show, 64 hexadecimal digits. */
  pin: string
  tuning: Tuning
  /** The path's round trip, where it is known. Milliseconds. */
  rttMs?: number | undefined
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
  /** The peer may have given up one direction of the stream or both: `read` and an empty `write` say which. */
  onGone(stream: number): void
  /** A QUIC datagram (RFC 9221); the bytes are valid only until it returns. */
  onDatagram(datagram: Uint8Array): void
  /** A UDP packet that is not QUIC: a late check, say. Valid only until it returns. */
  onPacket(packet: Uint8Array, from: Endpoint): void
}
