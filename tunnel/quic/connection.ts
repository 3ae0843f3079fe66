import { type Endpoint, formatEndpoint } from '../net/endpoint.ts'
import type { UdpSocket } from '../net/udp/socket.ts'
import { type CloseCode, closeCodes, closeText } from './close-codes.ts'
import { type CloseReason, closeReasonOf, QuicError } from './close-reason.ts'
import type { Engine, EngineHandlers } from './engine.ts'
import type { ConnectionStats, EngineConnection, EngineTargets } from './engine-connection.ts'
import type { Identity } from './identity.ts'
import { LivenessMonitor } from './liveness-monitor.ts'
import type { QuicStream } from './stream.ts'
import { type StreamStatus, Streams } from './streams.ts'
import { type Role, type Tuning, tunings } from './tuning.ts'

export interface ConnectOptions {
  engine: Engine
  /** One that the engine opened; it stays the caller's to close, after the connection. */
  socket: UdpSocket
  peer: Endpoint
  /** The peer may move, by `moveTo`. */
  mayMove?: boolean
  identity: Identity
  /** SHA-256 of the certificate that the peer must show. */
  pin: string
  /** The function dials; the client, who is the one being called, answers. */
  role: Role
  tuning?: Tuning | undefined
  /** The path's round trip, where it is known. Milliseconds. */
  rttMs?: number | undefined
  /** Limit for the handshake in milliseconds, 5,000 by default. */
  handshakeMs?: number | undefined
  /** Ends the handshake; of no effect once it is done. */
  signal?: AbortSignal | undefined
  /** The peer's QUIC packets that came before. */
  early?: readonly Uint8Array[]
  /** A UDP packet that is not QUIC, the peer's or, where it may move, anybody's; valid only until it returns. */
  onPacket?: (packet: Uint8Array, from: Endpoint) => void
}

/**
 * One QUIC connection on a punched socket, whatever engine runs it. No stream is touched before the peer's
 * certificate has been compared with the pin.
 */
export class QuicConnection {
  /** A stream that the peer opened. */
  onStream: (stream: QuicStream) => void = stream => stream.abort(0)
  /** QUIC datagrams (RFC 9221); the bytes are valid only until it returns. */
  onDatagram: (datagram: Uint8Array) => void = () => {}
  /** The peer fell silent (true) or was heard again (false). */
  onSilence: (silent: boolean) => void = () => {}
  /** Streams whose end may have been lost: the peer should be asked for their status. */
  onOverdue: (streams: number[]) => void = () => {}
  /**
   * The peer is to be told that a stream breaks off behind so many bytes, an end counted as one. False when it cannot
   * be told: the stream is then reset, and what is on its way is lost.
   */
  onBreak: (stream: number, at: number) => boolean = () => false
  /** The peer is to be told that a stream, which it has broken, is over here. */
  onOver: (stream: number) => void = () => {}
  /** Resolves when the connection is over, with the reason. */
  readonly closed: Promise<CloseReason>
  readonly engine: Pick<Engine, 'name' | 'version'>

  readonly #ready = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<CloseReason>()
  #running: EngineConnection | undefined
  #streams: Streams | undefined
  #liveness: LivenessMonitor | undefined
  #closeReason: CloseReason | undefined

  private constructor(engine: Engine) {
    this.engine = engine
    this.closed = this.#closed.promise
    this.#ready.promise.catch(() => {})
  }

  /**
   * Resolves when the handshake is done and the pin is right. Rejects with a QuicError, the signal's reason, or when the
   * system refuses.
   */
  static async connect(options: ConnectOptions): Promise<QuicConnection> {
    const connection = new QuicConnection(options.engine)
    await connection.#connect(options)
    return connection
  }

  /** Opens a stream. Throws a QuicError when the connection is over or the peer allows no more. */
  open(): QuicStream {
    if (!this.#running || !this.#streams || this.#closeReason)
      throw new QuicError('E_QUIC_NOT_OPEN', 'the connection is not open')
    const id = this.#running.open()
    if (id === undefined)
      throw new QuicError('E_QUIC_STREAM_LIMIT', 'the exit allows no more connections at once')
    return this.#streams.add(id)
  }

  /** Asks the peer for a sign of life at once: the path may be gone. `onSilence` tells when none comes. */
  doubt(): void {
    this.#liveness?.doubt()
  }

  /** Gives up the streams on which nothing has come back: a silent peer may never have seen them. */
  abortUnheard(): void {
    this.#streams?.abortUnheard()
  }

  /** Which of the peer's overdue streams are over here. */
  statusOf(streams: readonly number[]): StreamStatus {
    return this.#streams?.statusOf(streams) ?? { ended: [], aborted: [] }
  }

  /** The peer's answer about overdue streams: what it sent on those is all here. */
  settle(status: StreamStatus): void {
    this.#streams?.settle(status)
  }

  /** The peer breaks a stream off behind so many bytes, an end counted as one. */
  breakAt(stream: number, at: number): void {
    this.#streams?.breakAt(stream, at)
  }

  /** Sends a QUIC datagram; false when it was too large or the queue is full, and it was not sent. */
  sendDatagram(datagram: Uint8Array): boolean {
    return !this.#closeReason && this.#running?.sendDatagram(datagram) === true
  }

  /** The largest datagram that fits, in bytes; 0 when the peer takes none. */
  maxDatagram(): number {
    return this.#running?.maxDatagram() ?? 0
  }

  /** The peer is at another address from here on: the packets take another way, and nothing is lost for good. */
  moveTo(peer: Endpoint): void {
    if (!this.#closeReason) this.#running?.moveTo(peer)
  }

  /** TCP connections of the engine's own, where it has some. */
  get targets(): EngineTargets | undefined {
    return this.#running?.targets
  }

  get silent(): boolean {
    return this.#liveness?.silent ?? false
  }

  /** Why the connection is over; undefined while it is not. */
  get closeReason(): CloseReason | undefined {
    return this.#closeReason
  }

  /** Open streams, the control stream among them. */
  get streams(): number {
    return this.#streams?.size ?? 0
  }

  stats(): ConnectionStats {
    return this.#running?.stats() ?? { rttMs: 0, lost: 0, sent: 0, batches: 0 }
  }

  /** Tells the peer why, for programs (the code) and for people (the reason), and ends at once. */
  close(closeCode: CloseCode = closeCodes.done, reason: string = closeText[closeCode]): void {
    this.#finish({ code: 'E_QUIC_CLOSED', message: reason, closeCode })
  }

  // --- internal ---

  async #connect(options: ConnectOptions): Promise<void> {
    const { engine, role, peer, mayMove = false, handshakeMs = 5_000 } = options
    const { tuning = tunings[role], early = [], signal } = options
    signal?.throwIfAborted()
    const timer = setTimeout(() => {
      this.#finish({
        code: 'E_QUIC_HANDSHAKE_TIMEOUT',
        message: `the QUIC handshake with ${formatEndpoint(peer)} was not done within ${handshakeMs / 1000} s`,
      })
    }, handshakeMs)
    const abort = () => this.#finish({ code: 'E_QUIC_CLOSED', message: closeText[closeCodes.done] })
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const handlers = this.#handlers(options.onPacket)
      const running = await engine.connect({ ...options, mayMove, tuning, early, handlers })
      this.#running = running
      this.#streams = new Streams(running, {
        tellBreak: (stream, at) => this.onBreak(stream, at),
        tellOver: stream => this.onOver(stream),
      })
      if (this.#closeReason) running.close(closeCodes.done, this.#closeReason.message)
      await this.#ready.promise
      this.#watch(running)
    } catch (error) {
      throw signal?.aborted ? signal.reason : error
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
  }

  #handlers(onPacket: EngineHandlers['onPacket'] = () => {}): EngineHandlers {
    return {
      onConnected: () => this.#ready.resolve(),
      onClosed: close => this.#finish(closeReasonOf(close)),
      onOpened: id => {
        if (this.#streams) this.onStream(this.#streams.add(id))
      },
      onReadable: id => this.#streams?.get(id)?.onReadable(),
      onWritable: id => this.#streams?.get(id)?.onWritable(),
      onGone: id => this.#streams?.get(id)?.onGone(),
      onDatagram: datagram => this.onDatagram(datagram),
      onPacket,
    }
  }

  #watch(running: EngineConnection): void {
    if (this.#closeReason) return
    this.#liveness = new LivenessMonitor({
      received: () => running.received,
      onTick: () => {
        const overdue = running.lostEnds?.look() ?? []
        if (overdue.length > 0) this.onOverdue(overdue)
      },
      probe: () => running.ping(),
      onSilence: silent => this.onSilence(silent),
    })
    this.#liveness.start()
  }

  #finish(reason: CloseReason): void {
    if (this.#closeReason) return
    this.#closeReason = reason
    this.#liveness?.stop()
    this.#running?.close(reason.closeCode ?? closeCodes.done, reason.message)
    this.#ready.reject(new QuicError(reason.code, reason.message))
    this.#streams?.lost()
    this.#closed.resolve(reason)
  }
}
