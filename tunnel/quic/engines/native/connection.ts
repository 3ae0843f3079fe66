import type { Endpoint } from '../../../net/endpoint.ts'
import type { EngineOptions } from '../../engine.ts'
import {
  type ConnectionStats,
  type EngineClose,
  type EngineConnection,
  streamEnded,
  streamGone,
} from '../../engine-connection.ts'
import { eventKinds } from './events.ts'
import { MissingEnds } from './missing-ends.ts'
import { attachOptions } from './options.ts'
import type { Addon, CloseReason, NativeSocket } from './socket.ts'
import { NativeTargets } from './targets.ts'

/** What the addon's `read` adds to the number of bytes when the peer's end came with them. */
const endFlag = 2 ** 30
/** Then the applications' own sockets get their turn, and what they have to say is not late. Bytes. */
const maxReadInTurn = 256 * 1024
const datagramRoom = new Uint8Array(65_536)

/** A connection that the addon runs: this passes its calls and events on. */
export class NativeConnection implements EngineConnection {
  readonly #socket: NativeSocket
  readonly #options: EngineOptions
  readonly #addon: Addon
  /** Their end came along with bytes, and the reader has not learnt of it yet. */
  readonly #ends = new Set<number>()
  /** To be told that they are readable, in this order. */
  readonly #toRead = new Set<number>()
  /** Bytes that were read since the turn began. */
  #readInTurn = 0
  /** Streams of which something is still to be read. */
  readonly #missing = new MissingEnds()
  #over = false
  readonly targets: NativeTargets | undefined
  readonly lostEnds = {
    look: (): number[] => this.#missing.look(),
    settle: (stream: number): void => {
      if (this.#missing.found(stream) && !this.targets?.endFound(stream)) this.readLater(stream)
    },
  }

  constructor(socket: NativeSocket, options: EngineOptions) {
    this.#socket = socket
    this.#options = options
    socket.onDatagram = (packet, address, port) => options.handlers.onPacket(packet, { address, port })
    this.#addon = socket.attach(
      attachOptions(options),
      options.early,
      (kind, subject, code) => this.#tell(kind, subject, code),
      () => this.#tellStreams(),
    )
    if (this.#addon.canDial)
      this.targets = new NativeTargets(this.#addon, {
        owe: () => socket.owe(),
        takeEnd: stream => this.#ends.delete(stream),
        over: stream => this.#missing.forget(stream),
      })
  }

  open(): number | undefined {
    if (this.#over) return undefined
    const stream = this.#addon.open()
    if (stream < 0) return undefined
    this.#missing.begin(stream)
    return stream
  }

  read(stream: number, buffer: Uint8Array): number {
    if (this.#over) return streamGone
    if (this.#ends.delete(stream)) return streamEnded
    const read = this.#addon.read(stream, buffer)
    if (read === 0) return this.#missing.isFound(stream) ? this.#endFound(stream) : 0
    if (read < 0) {
      this.#missing.forget(stream)
      return streamGone
    }
    // What was read opens the peer's window: the update must be sent even if nothing else is.
    this.#socket.owe()
    if (read < endFlag) {
      this.#missing.heard(stream)
      this.#readInTurn += read
      return read
    }
    this.#missing.forget(stream)
    const count = read - endFlag
    this.#readInTurn += count
    if (count === 0) return streamEnded
    this.#ends.add(stream)
    return count
  }

  readLater(stream: number): void {
    if (this.#over) return
    this.#toRead.add(stream)
    this.#socket.again()
  }

  write(stream: number, chunk: Uint8Array): number {
    if (this.#over) return streamGone
    const taken = this.#addon.write(stream, chunk)
    if (taken < 0) return streamGone
    // Who was not let write has a turn to come, too.
    if (chunk.length > 0) this.#socket.owe()
    return taken
  }

  finish(stream: number): void {
    if (this.#over) return
    this.#addon.finish(stream)
    this.#socket.owe()
  }

  reset(stream: number, code: number): void {
    if (this.#over) return
    this.#addon.reset(stream, code)
    this.#socket.owe()
  }

  stop(stream: number, code: number): void {
    if (this.#over) return
    this.#ends.delete(stream)
    this.#missing.forget(stream)
    this.#addon.stop(stream, code)
    this.#socket.owe()
  }

  isKept(stream: number): boolean {
    return !this.#over && this.#addon.isKept(stream)
  }

  sendDatagram(datagram: Uint8Array): boolean {
    if (this.#over || this.#addon.sendDatagram(datagram) !== 1) return false
    this.#socket.owe()
    return true
  }

  maxDatagram(): number {
    return this.#over ? 0 : this.#addon.maxDatagram()
  }

  ping(): void {
    if (this.#over) return
    this.#addon.ping()
    this.#socket.owe()
  }

  moveTo({ address, port }: Endpoint): void {
    if (this.#over) return
    this.#addon.moveTo(address, port)
    this.#socket.owe()
  }

  get received(): number {
    return this.#addon.received()
  }

  stats(): ConnectionStats {
    const { rttMs, lostPackets, sentPackets, sentBatches, ...more } = this.#addon.stats()
    const { packetSize: mtu, blackHoles, ecn, congestionMarks } = more
    const path = { mtu, blackHoles, ecn, congestionMarks }
    return { rttMs, lost: lostPackets, sent: sentPackets, batches: sentBatches, path }
  }

  close(code: number, reason: string): void {
    if (this.#over) return
    this.#end()
    this.#addon.close(code, Buffer.from(reason))
  }

  // --- internal ---

  #tell(kind: number, stream: number, code: number): boolean {
    const { handlers } = this.#options
    switch (kind) {
      case eventKinds.connected:
        handlers.onConnected()
        // Who awaits the handshake sets its handlers first: streams wait for the next turn.
        return false
      case eventKinds.closed:
        this.#end()
        handlers.onClosed(closeOf(this.#addon.closeReason()))
        return false
      case eventKinds.opened:
        this.#missing.begin(stream)
        handlers.onOpened(stream)
        this.#toRead.add(stream)
        return !this.#over
      case eventKinds.readable:
        this.#toRead.add(stream)
        return true
      case eventKinds.finished:
        this.#missing.finished(stream)
        return true
      case eventKinds.stopped:
      case eventKinds.reset:
        handlers.onGone(stream)
        return !this.#over
      case eventKinds.datagrams:
        this.#tellDatagrams()
        return !this.#over
      default:
        this.targets?.tell(kind, stream, code)
        return !this.#over
    }
  }

  /** The end that the peer forgot; the addon still waits for it. */
  #endFound(stream: number): number {
    this.#missing.forget(stream)
    this.#addon.stop(stream, 0)
    this.#socket.owe()
    return streamEnded
  }

  #tellDatagrams(): void {
    while (!this.#over) {
      const length = this.#addon.readDatagram(datagramRoom)
      if (length < 0) return
      this.#options.handlers.onDatagram(datagramRoom.subarray(0, length))
    }
  }

  #tellStreams(): void {
    this.#tellWritable()
    this.#tellReadable()
  }

  #tellWritable(): void {
    while (!this.#over) {
      const stream = this.#addon.writable()
      if (stream < 0) return
      this.#options.handlers.onWritable(stream)
    }
  }

  /** Who has more than it reads at once comes again behind the others: all have their part of each turn. */
  #tellReadable(): void {
    this.#readInTurn = 0
    for (const stream of this.#toRead) {
      if (this.#over) return
      if (this.#readInTurn >= maxReadInTurn) return void this.#socket.again()
      this.#toRead.delete(stream)
      this.#options.handlers.onReadable(stream)
    }
  }

  #end(): void {
    this.#over = true
    this.#ends.clear()
    this.#toRead.clear()
    this.#missing.clear()
    this.targets?.end()
    this.#socket.detach()
  }
}

// --- internal ---

function closeOf(reason: CloseReason | null): EngineClose {
  if (!reason) return { kind: 'failed', byPeer: false, code: 0, reason: '' }
  const { kind, byPeer, code } = reason
  return {
    kind: kind === 'engine' ? 'failed' : kind,
    byPeer,
    code,
    reason: Buffer.from(reason.reason).toString(),
  }
}
