import { randomBytes } from 'node:crypto'
import { classify } from '../../../net/demux.ts'
import type { Endpoint } from '../../../net/endpoint.ts'
import type { PacketSocket } from '../../../net/udp/socket.ts'
import { closeCodes, closeText } from '../../close-codes.ts'
import type { EngineOptions } from '../../engine.ts'
import { type ConnectionStats, type EngineConnection, streamGone } from '../../engine-connection.ts'
import { fingerprintOf } from '../../identity.ts'
import { type QuicheConnection, quiche, type RecvInfo } from './binding.ts'
import { closeOf } from './close.ts'
import { quicheConfig } from './config.ts'
import { CostMonitor } from './cost-monitor.ts'
import { connectionIdLength, Handshakes, hasFailed } from './handshakes.ts'
import { Packets } from './packets.ts'
import { SendScheduler } from './send-scheduler.ts'
import { Streams } from './streams.ts'

/** Batches a turn: then other work of the process gets its turn. */
const batchesPerTurn = 4

/**
 * A connection run by our own loop on the native binding: a datagram is handed to the parser at once, then one
 * pump per turn of the event loop reads what is readable, offers what was blocked, and sends until there is
 * nothing to send.
 */
export class QuicheEngineConnection implements EngineConnection {
  received = 0
  readonly lostEnds = {
    look: (): number[] => this.#streams?.look() ?? [],
    settle: (stream: number): void => this.#streams?.settle(stream),
  }
  readonly #options: EngineOptions
  readonly #socket: PacketSocket
  readonly #packets: Packets
  readonly #recvInfo: RecvInfo
  readonly #cost: CostMonitor
  /** A server's, until one of them is done. */
  readonly #handshakes: Handshakes
  readonly #scheduler = new SendScheduler({ read: () => this.#read(), send: () => this.#send() })
  #quiche: QuicheConnection | undefined
  #streams: Streams | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #timerAt = 0
  /** Where the peer is, and where it was before. */
  #peers: readonly Endpoint[]
  #pinned = false
  #over = false

  /** `socket` is connected to the peer already, or aimed at it. */
  constructor(socket: PacketSocket, options: EngineOptions) {
    const { peer, mayMove, role, identity, tuning, early, handlers } = options
    this.#options = options
    this.#packets = new Packets(socket, tuning.packetSize)
    this.#cost = new CostMonitor(tuning.streamWindow)
    // Constant, whatever the kernel says: the socket is bound to one pair of addresses.
    this.#recvInfo = { from: hostPort(peer), to: hostPort(socket.local) }
    const { from, to } = this.#recvInfo
    const config = quicheConfig(identity, tuning)
    this.#handshakes = new Handshakes({
      recvInfo: this.#recvInfo,
      accept: id => quiche.Connection.accept(id, null, to, from, config),
    })
    if (role === 'client') this.#run(quiche.Connection.connect(null, newId(), to, from, config))
    socket.onDrain = () => this.#scheduler.wake()
    this.#socket = socket
    this.#peers = [peer]
    socket.onDatagram = (datagram, address, port) => {
      if (classify(datagram) !== 'quic') {
        if (!this.#over) handlers.onPacket(datagram, { address, port })
      } else if (!mayMove || this.#peers.some(each => each.port === port && each.address === address))
        this.#receive(datagram)
    }
    for (const datagram of early) this.#receive(datagram)
  }

  open(): number | undefined {
    return this.#over || !this.#pinned ? undefined : this.#streams?.open()
  }

  read(stream: number, buffer: Uint8Array): number {
    return this.#streams?.get(stream)?.read(buffer) ?? streamGone
  }

  readLater(): void {
    // Every turn tells of all streams that have something to read.
    this.#scheduler.again()
  }

  write(stream: number, chunk: Uint8Array): number {
    return this.#streams?.get(stream)?.write(chunk) ?? streamGone
  }

  finish(stream: number): void {
    this.#streams?.get(stream)?.finish()
  }

  reset(stream: number, code: number): void {
    this.#streams?.get(stream)?.reset(code)
  }

  stop(stream: number, code: number): void {
    this.#streams?.get(stream)?.stop(code)
  }

  isKept(stream: number): boolean {
    return this.#streams?.isKept(stream) ?? false
  }

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

  maxDatagram(): number {
    return this.#quiche?.dgramMaxWritableLen() ?? 0
  }

  ping(): void {
    if (this.#over) return
    this.#quiche?.sendAckEliciting()
    this.#scheduler.wake()
  }

  moveTo(peer: Endpoint): void {
    if (this.#over || !this.#options.mayMove) return
    this.#peers = [peer, this.#peers[0]!]
    this.#socket.aim(peer)
    this.ping()
  }

  stats(): ConnectionStats {
    const path = this.#quiche?.pathStats()[0]
    return {
      rttMs: path?.rtt ?? 0,
      lost: path?.lost ?? 0,
      sent: path?.sent ?? 0,
      batches: this.#packets.batches,
    }
  }

  close(code: number, reason: string): void {
    if (this.#over) return
    try {
      this.#quiche?.close(true, code, Buffer.from(reason))
    } catch {
      // Closed already.
    }
    this.#end()
  }

  // --- internal ---

  #receive(datagram: Uint8Array): void {
    if (this.#over) return
    this.#packFins()
    if (!this.#quiche) this.#shakeHands(datagram)
    else this.#parse(this.#quiche, datagram)
    this.#scheduler.heard()
  }

  #parse(connection: QuicheConnection, datagram: Uint8Array): void {
    const began = performance.now()
    try {
      connection.recv(datagram, this.#recvInfo)
      this.received++
    } catch {
      // "Done" and malformed packets alike; a fatal one shows in isClosed() at the pump.
    }
    if (this.#cost.received(datagram.length, performance.now() - began)) this.#overload()
  }

  /** The first handshake that is done is the connection. */
  #shakeHands(datagram: Uint8Array): void {
    const began = performance.now()
    this.#handshakes.receive(datagram)
    if (this.#cost.received(datagram.length, performance.now() - began)) this.#handshakes.clear()
    const done = this.#handshakes.connections.find(connection => connection.isEstablished())
    if (done) this.#run(done)
  }

  #run(connection: QuicheConnection): void {
    const { role, handlers } = this.#options
    this.#quiche = connection
    this.#streams = new Streams({
      quiche: connection,
      role,
      scheduler: this.#scheduler,
      cost: this.#cost,
      handlers,
    })
    this.#scheduler.wake()
  }

  /**
   * quiche 0.18 forgets a stream when its bytes are acknowledged and the peer's end was read, though our own
   * end may not be in a packet yet: it is put into one first.
   */
  #packFins(): void {
    if (this.#scheduler.takeFin() && this.#quiche) this.#packets.fill(this.#quiche)
  }

  #read(): boolean {
    const connection = this.#quiche
    const streams = this.#streams
    if (!connection || !streams) return false
    if (!this.#pinned) {
      // Who awaits the handshake sets its handlers first: streams wait for the next turn.
      if (this.#verify(connection)) this.#scheduler.again()
      return false
    }
    this.#packFins()
    streams.read()
    for (let datagram = connection.dgramRecvVec(); datagram; datagram = connection.dgramRecvVec()) {
      this.#cost.delivered(datagram.length)
      this.#options.handlers.onDatagram(datagram)
    }
    streams.unblock()
    // Who still waits to write may do so again because of what has come.
    return !streams.blocked
  }

  #send(): boolean {
    const connection = this.#quiche
    if (!connection) return this.#sendHandshakes()
    this.#scheduler.takeFin()
    const { made, makingMs } = this.#packets
    const more = this.#packets.flush(connection, batchesPerTurn)
    if (this.#cost.sent(this.#packets.made - made, this.#packets.makingMs - makingMs)) this.#overload()
    if (this.#over) return false
    const waiting = this.#packets.drained && this.#streams?.sent() === true
    if (connection.isClosed() || connection.isDraining()) {
      this.#end()
      this.#options.handlers.onClosed(closeOf(connection))
    } else this.#arm([connection])
    return more || waiting
  }

  #sendHandshakes(): boolean {
    let more = false
    for (const connection of this.#handshakes.connections) {
      more = this.#packets.flush(connection, 1) || more
      if (hasFailed(connection)) this.#handshakes.drop(connection)
    }
    this.#arm(this.#handshakes.connections)
    return more
  }

  /** Compares the peer's certificate with the pin, once the handshake is done. */
  #verify(connection: QuicheConnection): boolean {
    if (!connection.isEstablished()) return false
    const { pin, handlers } = this.#options
    const [certificate] = connection.peerCertChain() ?? []
    if (!certificate || fingerprintOf(certificate) !== pin) {
      // Our part of the handshake goes first: without it the other end could not read why it is refused.
      this.#packets.flush(connection, 1)
      this.close(closeCodes.wrongPin, closeText[closeCodes.wrongPin])
      handlers.onClosed({
        kind: 'wrong-pin',
        byPeer: false,
        code: closeCodes.wrongPin,
        reason: certificate ? '' : 'no certificate',
      })
      return false
    }
    this.#pinned = true
    handlers.onConnected()
    return true
  }

  /** One timer: one that fires too early only looks again, which is cheaper than moving it with every packet. */
  #arm(connections: QuicheConnection[]): void {
    const timeout = Math.min(...connections.map(connection => connection.timeout() ?? Infinity))
    if (timeout === Infinity) return
    const at = performance.now() + timeout
    if (this.#timer !== undefined && this.#timerAt <= at) return
    clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      for (const connection of connections) if ((connection.timeout() ?? 1) <= 0) connection.onTimeout()
      this.#scheduler.wake()
    }, Math.ceil(timeout))
  }

  /** The peer sends what costs too much. */
  #overload(): void {
    const code = closeCodes.overload
    this.close(code, closeText[code])
    this.#options.handlers.onClosed({ kind: 'application', byPeer: false, code, reason: '' })
  }

  #end(): void {
    this.#over = true
    clearTimeout(this.#timer)
    this.#scheduler.stop()
    if (this.#quiche) this.#packets.flush(this.#quiche, 1)
    this.#streams?.lost()
  }
}

const newId = () => randomBytes(connectionIdLength)
const hostPort = ({ address, port }: Endpoint) => ({ host: address, port })
