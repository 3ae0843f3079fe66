/**
 * The face of the native engine: one class, a UDP socket with a QUIC session on it.
 *
 * One thread, JavaScript's own, does all the work, a turn at a time; the engine's thread only waits for all sockets
 * of the process and calls `onReady`:
 *
 *     onReady:  do count = socket.turn(events), and handle them, while events came back full
 *               while (stream = socket.writable() is one), let it write
 *               if (socket.flush()) setImmediate(the same again)
 *
 * What is read or written outside of a turn takes effect with the next `flush`, which the caller owes then.
 * Once the session is over, or the socket destroyed, calls are without effect. Errors that are thrown have a `code`:
 * E_ENGINE_OPTION, E_ENGINE_ADDRESS, E_ENGINE_SOCKET, E_ENGINE_IDENTITY, E_ENGINE_STATE (attached twice, or destroyed)
 * or E_ENGINE_FAILED (the engine itself).
 */

/** The engine's version. */
export declare function version(): string

export declare class Socket {
  /**
   * Binds a UDP socket to an IPv4 address; port 0 is any free one. `onReady` is called from the event loop whenever
   * there is something to do; until `destroy` it keeps the process alive. Throws E_ENGINE_SOCKET with the system's
   * reason.
   */
  constructor(address: string, port: number, onReady: () => void)
  /** The local address; once attached, the one that the system chose towards the peer (not on macOS). */
  readonly address: string
  readonly port: number
  /** The receive buffer that the system granted, in bytes; 0 where it does not say. */
  readonly receiveBuffer: number
  /** Whether the system lets it dial targets, from `dial` to `leftover`: on Linux. */
  readonly canDial: boolean

  /**
   * Sends one packet that is not the session's (STUN). False: it is lost, because the system refused it or because
   * the socket is attached to another peer.
   */
  send(bytes: Uint8Array, address: string, port: number): boolean
  /**
   * Copies packets that are not the session's into `out` and gives their number: before `attach` all that come, after
   * it STUN (first byte 0 to 3, RFC 9443), the peer's or, where the peer may move, anybody's. Each has a head of 8 bytes: length (16 bits), port (16 bits) and
   * IPv4 address, in network order. At most 512 packets or 1 MiB wait; what comes then is lost. What does not fit
   * waits for the next call, and the event `packets` is told again.
   */
  packets(out: Uint8Array): number
  /**
   * Fixes the peer, and begins QUIC with it. Nobody else's QUIC is listened to from here on, and nothing else of
   * theirs either unless the peer may move.
   */
  attach(options: AttachOptions): void
  /**
   * The peer is at another IPv4 address from here on; what still comes from the one before is heard too. The session
   * does not notice, but for what it has learnt of the path. False: it may not move, or is not attached.
   */
  moveTo(address: string, port: number): boolean
  /** A QUIC packet of the peer's that came before `attach`. */
  receive(bytes: Uint8Array): void

  /**
   * Receives what has come and does what is due. Writes what happened into `events`, three numbers an event (kind,
   * stream, code), and gives the number of events. When they fill the array, call again.
   */
  turn(events: Uint32Array): number
  /** Sends what there is to send, and waits. True: there is more to do at once, and nothing is waited for. */
  flush(): boolean

  /** The number of a new bidirectional stream; -1 while the peer allows no more (event `available`), or when over. */
  open(): number
  /**
   * Bytes read into the buffer (at most 2^30 - 1), 0 when there is nothing now; 2^30 is added when the peer's end of
   * the stream came with them. -1: there is nothing to read any more (ended, reset, stopped, or the session is over).
   * The event `readable` follows a read that found less than the buffer holds, and no other.
   */
  read(stream: number, buffer: Uint8Array): number
  /**
   * Bytes taken, which are copied. Fewer than given: there is no room now, or others come first, and `writable` gives
   * the stream when it may go on. -1: the stream is over (reset, finished and delivered, or the session is); -2: the
   * peer wants no more of it. An empty write only asks whether the peer still wants any.
   */
  write(stream: number, bytes: Uint8Array): number
  /**
   * The next of the streams that a write took less of than was given, and that may go on: it is given once, and writes
   * before the call is repeated. -1: there is none, or no room for any. To be asked in each turn, until it gives none.
   */
  writable(): number
  /** Ends this direction behind what was written (FIN). False: it is over already. */
  finish(stream: number): boolean
  /** Gives up this direction (RESET_STREAM). False: it is over already. */
  reset(stream: number, code: number): boolean
  /** Wants no more of the peer's direction (STOP_SENDING); what is unread is dropped. False: it is over already. */
  stop(stream: number, code: number): boolean
  /** Whether something of this end's direction is still to be written or delivered, and the peer wants it. */
  isKept(stream: number): boolean

  /**
   * Starts connecting to a target by TCP, and gives its number: `dialled` or `undialled` follows, unless it is hung up.
   * Below 0 it has failed already: -1 less the code of `undialled`. Throws E_ENGINE_ADDRESS for what is no IP address.
   */
  dial(address: string, port: number): number
  /** This end of a connected target; null when it is none any more. */
  local(target: number): LocalAddress | null
  /** Breaks off a target that is not joined, or is still being dialled: nothing more is told of it. */
  hangUp(target: number): void
  /**
   * Joins a stream with a connected target. From here on the engine carries the bytes both ways, with backpressure, and
   * passes each direction's end on by itself; nobody else may use the stream until `parted` tells that this is over.
   * `up` was read of the stream before, and `down` is still to be written to it: both go first. `ended`: the peer's end
   * was read, too. A silence of 300 s with one direction ended ends both. False: there is no such target.
   */
  join(stream: number, target: number, up: Uint8Array, down: Uint8Array, ended: boolean): boolean
  /**
   * The peer breaks a joined stream off behind so many bytes of what is read since `join`, an end counted as one (also one
   * that was read before): the stream is then given up, and the target broken off behind what was said to it.
   */
  breakAt(stream: number, at: number): void
  /** Gives a joined stream up at once, in both directions. */
  part(stream: number): void
  /** The peer has ended a joined stream, and all that it sent is here. */
  endFound(stream: number): void
  /** What is left of a stream whose target broke off (`parted`, 1). It is given once. */
  leftover(stream: number): Leftover | null

  /** 1: queued. 0: no room, and it is lost. -1: not open. -2: longer than `maxDatagram`. */
  sendDatagram(bytes: Uint8Array): number
  /** The length of the datagram that was copied into the buffer; -1 when none waits. What does not fit is lost. */
  readDatagram(buffer: Uint8Array): number
  /** Bytes; 0 when the peer takes none. */
  maxDatagram(): number

  /** Asks the peer for a sign of life, with the next `flush`. */
  ping(): void
  /** Frames of the peer's authentic packets so far: more of them are a sign of life. */
  received(): number
  stats(): Stats
  /** Why the session is over; null while it is not. */
  closeReason(): CloseReason | null
  /** Why the last handshake came to nothing, where the server waits for another. */
  failedAttempt(): CloseReason | null
  /** Ends the session, and sends the peer a code (32 bits) and a reason. What is written and not sent is lost. */
  close(code: number, reason: Uint8Array): void
  /** Closes the socket. Without `close` the peer is told nothing. */
  destroy(): void
}

/** What is told of, by the first of an event's three numbers; a stream and a code follow where they have a meaning. */
export declare enum EventKind {
  connected = 1,
  closed = 2,
  opened = 3,
  readable = 4,
  finished = 5,
  /** STOP_SENDING, with its code (2^32 - 1 for any larger). */
  stopped = 6,
  /** RESET_STREAM, with its code. */
  reset = 7,
  /** The peer allows more streams. */
  available = 8,
  datagrams = 9,
  /** There is room for a datagram again. */
  datagramRoom = 10,
  packets = 11,
  /** A target is connected; its number comes in place of the stream's. */
  dialled = 12,
  /**
   * It cannot be. 0: refused, 1: no way to its network, 2: no way to it, 3: no answer, 4: no local address of its kind,
   * 5: the system does not allow it, 6: an address of no known kind, 7: no descriptors, buffers or memory, 8: anything else.
   */
  undialled = 13,
  /**
   * A stream is no longer joined. 0: both directions have ended. 1: the target broke off, the stream is the caller's again,
   * and `leftover` says where it stands. 2: the stream was given up. 3: so it was, after this end had finished it.
   */
  parted = 14,
  /** A target that was joined is closed. */
  hungUp = 15,
}

export interface LocalAddress {
  /** IPv4 or IPv6. */
  address: string
  port: number
}

export interface Leftover {
  /** Bytes read of the stream since `join`, its end counted as one. */
  read: number
  /** Bytes written to it since, the end counted as one. */
  written: number
  /** The peer's end was read. */
  ended: boolean
  /** This end was finished. */
  finished: boolean
}

/** Bytes and milliseconds, whole numbers all of them; none may be left out. */
export interface AttachOptions {
  /** The peer, IPv4. */
  address: string
  port: number
  /** The peer may move, by `moveTo`. */
  open: boolean
  role: 'client' | 'server'
  /** PEM, PKCS #8. */
  key: Uint8Array
  /** PEM. */
  certificate: Uint8Array
  /** SHA-256 of the certificate (DER) that the peer must show: 32 bytes. */
  pin: Uint8Array
  /** 1 to 255 bytes. */
  alpn: string
  congestion: 'bbr' | 'cubic'
  /** UDP payload of the first packets: 1,200 to 65,507. */
  packetSize: number
  /** The largest that path MTU discovery tries; `packetSize` turns it off. */
  maxPacketSize: number
  /** What the peer may send on one stream before it is read, from 1,024. */
  streamWindow: number
  /** What it may send on all of them, from `streamWindow`. */
  connectionWindow: number
  /** What is written and not acknowledged, 16,384 to 2^32. */
  sendBuffer: number
  /** Streams that the peer may have open at once, up to 65,536. */
  maxStreams: number
  /** Bytes of datagrams that may wait in either direction; 0 refuses them. */
  datagramBuffer: number
  /** 100 to 3,600,000. */
  idleTimeoutMs: number
  /** 0: none but `ping()`. */
  keepAliveMs: number
  /** Packets that the peer may leave unacknowledged, where it knows the extension: 1 to 1,024. */
  ackEvery: number
}

export interface Stats {
  /** Smoothed round trip, milliseconds. */
  rttMs: number
  minRttMs: number
  /** Bytes that may be in flight. */
  congestionWindow: number
  /** Bits a second; 0 where the controller names none. */
  pacingRate: number
  /** UDP payload of a packet, bytes. */
  packetSize: number
  sentPackets: number
  /** System calls that sent them. */
  sentBatches: number
  lostPackets: number
  /** About as much was sent again. */
  lostBytes: number
  congestionEvents: number
  /** UDP payload, bytes. */
  sentBytes: number
  receivedBytes: number
  /** UDP datagrams. */
  receivedPackets: number
  /** What is sent asks for marks of congestion (ECN). */
  ecn: boolean
  /** Datagrams that came with one. */
  congestionMarks: number
  /** Times the path turned out to swallow large packets. */
  blackHoles: number
}

export interface CloseReason {
  /**
   * application: `code` is the application's. wrong-pin: the certificate is not the pinned one, or there is none.
   * transport: `code` is QUIC's (RFC 9000, section 20.1). timed-out: silence. engine: the engine itself failed.
   */
  kind: 'application' | 'wrong-pin' | 'transport' | 'timed-out' | 'engine'
  /** The peer ended it, or refused us; otherwise this end did. */
  byPeer: boolean
  code: number
  /** At most 1,024 bytes; the peer's are anybody's. */
  reason: Uint8Array
}
