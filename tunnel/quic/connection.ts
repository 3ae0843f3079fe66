import { randomBytes } from 'node:crypto'
import { type Endpoint, formatEndpoint } from '../net/endpoint.ts'
import type { UdpSocket } from '../net/udp/socket.ts'
import { type QuicheConnection, quiche, type RecvInfo } from './binding.ts'
import { applicationErrorPin, type CloseReason, QuicError, whyClosed } from './close-reason.ts'
import { quicConfig, type Tuning, tunings } from './config.ts'
import { fingerprintOf, type Identity } from './identity.ts'
import { LivenessMonitor } from './liveness-monitor.ts'
import { Packets } from './packets.ts'
import { SendScheduler } from './send-scheduler.ts'
import type { QuicStream } from './stream.ts'
import { type StreamStatus, Streams } from './streams.ts'

export interface ConnectionOptions {
  /** The socket, already connected to the peer. */
  socket: UdpSocket
  peer: Endpoint
  identity: Identity
  /** SHA-256 of the certificate that the peer must show. */
  pin: string
  /** The function dials; the client, who is the one being called, answers. */
  role: 'client' | 'server'
  tuning?: Tuning
  /** Limit for the handshake in milliseconds, 5,000 by default. */
  handshakeMs?: number
}

/** Batches a turn: then other work of the process gets its turn. */
const batchesPerTurn = 4
const connectionIdLength = 8

/**
 * One QUIC connection on a punched socket, run by our own loop on the native binding: a datagram is
 * handed to the parser at once, then one pump per turn of the event loop reads what is readable,
 * offers what was blocked, and sends until there is nothing to send.
 *
 * No stream is touched before the peer's certificate has been compared with the pin.
 */
export class QuicConnection {
  /** A stream that the peer opened. */
  onStream: (stream: QuicStream) => void = stream => stream.abort()
  /** QUIC datagrams (RFC 9221); the bytes are valid only until it returns. */
  onDatagram: (datagram: Uint8Array) => void = () => {}
  /** The peer fell silent (true) or was heard again (false). */
  onSilence: (silent: boolean) => void = () => {}
  /** Streams whose end may have been lost: the peer should be asked for their status. */
  onOverdue: (streams: number[]) => void = () => {}
  /** Resolves when the handshake is done and the pin is right; rejects with a QuicError. */
  readonly ready: Promise<void>
  /** Resolves when the connection is over, with the reason. */
  readonly closed: Promise<CloseReason>

  readonly #options: ConnectionOptions
  readonly #packets: Packets
  readonly #recvInfo: RecvInfo
  readonly #ready = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<CloseReason>()
  readonly #liveness: LivenessMonitor
  readonly #scheduler = new SendScheduler({ read: () => this.#read(), send: () => this.#send() })
  readonly #handshakeTimer: ReturnType<typeof setTimeout>
  #quiche: QuicheConnection | undefined
  #streams: Streams | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #timerAt = 0
  /** A stream's end has been handed over since the last packet. */
  #hurried = false
  #pinned = false
  #over = false
  #closeReason: CloseReason | undefined

  constructor(options: ConnectionOptions) {
    const { socket, peer, role, tuning = tunings[options.role], handshakeMs = 5_000 } = options
    this.#options = options
    this.ready = this.#ready.promise
    this.closed = this.#closed.promise
    this.ready.catch(() => {})
    this.#packets = new Packets(socket, tuning.packetSize)
    // Constant, whatever the kernel says: the socket is bound to one pair of addresses.
    this.#recvInfo = { from: hostPort(peer), to: hostPort(socket.local) }
    socket.onDrain = () => this.#scheduler.wake()
    this.#liveness = new LivenessMonitor({
      onTick: () => {
        const overdue = this.#streams?.lookForEnds() ?? []
        if (overdue.length > 0) this.onOverdue(overdue)
      },
      probe: () => {
        this.#quiche?.sendAckEliciting()
        this.#scheduler.wake()
      },
      onSilence: silent => this.onSilence(silent),
    })
    this.#handshakeTimer = setTimeout(() => {
      this.#finish({
        kind: 'handshake',
        message: `the QUIC handshake with ${formatEndpoint(peer)} was not done within ${handshakeMs / 1000} s`,
      })
    }, handshakeMs)
    if (role === 'client') {
      this.#run(
        quiche.Connection.connect(
          null,
          newId(),
          this.#recvInfo.to,
          this.#recvInfo.from,
          quicConfig(options.identity, tuning),
        ),
      )
    }
  }

  /** Takes a datagram of the peer's; the caller has made sure that it is QUIC and the peer's. */
  receive(datagram: Uint8Array): void {
    if (this.#over) return
    if (this.#hurried) this.#packEnds()
    if (!this.#quiche) this.#accept(datagram)
    try {
      this.#quiche?.recv(datagram, this.#recvInfo)
      this.#liveness.heard = true
    } catch {
      // "Done" and malformed packets alike; a fatal one shows in isClosed() at the pump.
    }
    this.#scheduler.heard()
  }

  /** Opens a stream. Throws a QuicError when the connection is not ready or the peer allows no more. */
  open(): QuicStream {
    if (this.#over || !this.#pinned || !this.#streams)
      throw new QuicError({ kind: 'failed', message: 'the connection is not open' })
    return this.#streams.open()
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

  /** Sends a QUIC datagram; false when it was too large or the queue is full, and it was not sent. */
  sendDatagram(datagram: Uint8Array): boolean {
    if (!this.#pinned || this.#over) return false
    try {
      this.#quiche?.dgramSend(datagram)
    } catch {
      return false
    }
    this.#scheduler.wake()
    return true
  }

  /** The largest datagram that fits, in bytes; 0 when the peer takes none. */
  maxDatagram(): number {
    return this.#quiche?.dgramMaxWritableLen() ?? 0
  }

  get silent(): boolean {
    return this.#liveness.silent
  }

  /** Why the connection is over; undefined while it is not. */
  get closeReason(): CloseReason | undefined {
    return this.#closeReason
  }

  /** Open streams, the control stream among them. */
  get streams(): number {
    return this.#streams?.size ?? 0
  }

  /** Round-trip time in milliseconds, and packets lost and sent so far. */
  stats(): { rttMs: number; lost: number; sent: number; batches: number } {
    const path = this.#quiche?.pathStats()[0]
    return {
      rttMs: path?.rtt ?? 0,
      lost: path?.lost ?? 0,
      sent: path?.sent ?? 0,
      batches: this.#packets.batches,
    }
  }

  /** Says goodbye to the peer and ends at once. */
  close(message = 'done', code = 0): void {
    if (this.#over) return
    try {
      this.#quiche?.close(true, code, Buffer.from(message))
    } catch {
      // Closed already.
    }
    this.#finish({ kind: 'closed', message })
  }

  // --- internal ---

  /** The answering end begins with the dialler's first packet, which must be an Initial (RFC 9000, section 17.2.2). */
  #accept(datagram: Uint8Array): void {
    const { identity, role, tuning = tunings[role] } = this.#options
    try {
      const initial = 0
      if (quiche.Header.fromSlice(datagram, connectionIdLength).ty !== initial) return
      this.#run(
        quiche.Connection.accept(
          newId(),
          null,
          this.#recvInfo.to,
          this.#recvInfo.from,
          quicConfig(identity, tuning),
        ),
      )
    } catch {
      // Not a packet that begins anything.
    }
  }

  #run(connection: QuicheConnection): void {
    this.#quiche = connection
    this.#streams = new Streams({
      quiche: connection,
      role: this.#options.role,
      wake: () => this.#scheduler.wake(),
      later: () => this.#scheduler.later(),
      again: () => this.#scheduler.again(),
      hurry: () => {
        this.#hurried = true
        this.#scheduler.wake()
      },
      onStream: stream => this.onStream(stream),
    })
    this.#scheduler.wake()
  }

  /**
   * quiche 0.18 forgets a stream when its bytes are acknowledged and the peer's end was read, though our own
   * end may not be in a packet yet: it is put into one first.
   */
  #packEnds(): void {
    this.#hurried = false
    if (this.#quiche) this.#packets.fill(this.#quiche)
  }

  #read(): boolean {
    const connection = this.#quiche
    const streams = this.#streams
    if (!connection || !streams) return false
    if (!this.#pinned) {
      // Who awaits `ready` sets its handlers first: streams wait for the next turn.
      if (this.#verify(connection)) this.#scheduler.again()
      return false
    }
    if (this.#hurried) this.#packEnds()
    streams.read()
    this.#receiveDatagrams(connection)
    streams.unblock()
    // Who still waits to write may do so again because of what has come.
    return !streams.blocked
  }

  #send(): boolean {
    const connection = this.#quiche
    if (!connection) return false
    this.#hurried = false
    const more = this.#packets.flush(connection, batchesPerTurn)
    const waiting = this.#packets.drained && this.#streams?.sent() === true
    if (connection.isClosed() || connection.isDraining()) this.#finish(whyClosed(connection))
    else this.#arm(connection)
    return more || waiting
  }

  /** Compares the peer's certificate with the pin, once the handshake is done. */
  #verify(connection: QuicheConnection): boolean {
    if (!connection.isEstablished()) return false
    const [certificate] = connection.peerCertChain() ?? []
    if (!certificate || fingerprintOf(certificate) !== this.#options.pin) {
      // Our part of the handshake goes first: without it the other end could not read why it is refused.
      this.#packets.flush(connection, 1)
      connection.close(true, applicationErrorPin, Buffer.from('wrong certificate'))
      const shown = certificate ? 'another certificate than it announced' : 'no certificate'
      this.#finish({
        kind: 'wrong-pin',
        message: `the other end showed ${shown}: it is not who wrote the offer or answer`,
      })
      return false
    }
    this.#pinned = true
    this.#liveness.start()
    clearTimeout(this.#handshakeTimer)
    this.#ready.resolve()
    return true
  }

  #receiveDatagrams(connection: QuicheConnection): void {
    for (let datagram = connection.dgramRecvVec(); datagram; datagram = connection.dgramRecvVec())
      this.onDatagram(datagram)
  }

  /** One timer: one that fires too early only looks again, which is cheaper than moving it with every packet. */
  #arm(connection: QuicheConnection): void {
    const timeout = connection.timeout()
    if (timeout === null) return
    const at = performance.now() + timeout
    if (this.#timer !== undefined && this.#timerAt <= at) return
    clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if ((connection.timeout() ?? 1) <= 0) connection.onTimeout()
      this.#scheduler.wake()
    }, Math.ceil(timeout))
  }

  #finish(reason: CloseReason): void {
    if (this.#over) return
    this.#over = true
    this.#closeReason = reason
    clearTimeout(this.#timer)
    this.#scheduler.stop()
    clearTimeout(this.#handshakeTimer)
    this.#liveness.stop()
    if (this.#quiche) this.#packets.flush(this.#quiche, 1)
    this.#ready.reject(new QuicError(reason))
    this.#streams?.lost()
    this.#closed.resolve(reason)
  }
}

const newId = () => randomBytes(connectionIdLength)
const hostPort = ({ address, port }: Endpoint) => ({ host: address, port })
