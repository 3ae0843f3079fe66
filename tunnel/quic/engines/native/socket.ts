import type { Socket as Addon, AttachOptions, CloseReason, Stats } from '../../../../native/engine/index.d.ts'
import type { Endpoint } from '../../../net/endpoint.ts'
import type { UdpOptions, UdpSocket } from '../../../net/udp/socket.ts'
import type { NativeBinding } from './binding.ts'
import { EventQueue, eventKinds } from './events.ts'

/**
 * What happens on an attached socket, and to which stream or target; see the addon's events. False: tell the rest in the
 * next turn.
 */
export type Listener = (kind: number, subject: number, code: number) => boolean

/** A packet's head: length, port and IPv4 address, in network order. */
const headLength = 8
/** Packets that are copied at once, in bytes: the largest there can be, and some. */
const packetRoom = new Uint8Array(128 * 1024)

/**
 * Where a thousand connections come in one turn of the event loop, the other end begins with the first of them while this
 * one is still busy with the last.
 */
const maxOwed = 32

/**
 * The addon's socket and the turns that it takes: one when the addon has something to tell, and one more for as long
 * as there is more to do. What is written between them is sent together at the end of the event loop's turn.
 */
export class NativeSocket implements UdpSocket {
  readonly local: Endpoint
  readonly receiveBufferBytes: number | undefined
  onDatagram: UdpSocket['onDatagram'] = () => {}
  readonly #addon: Addon
  readonly #events = new EventQueue()
  #listen: Listener = () => true
  #afterEvents: () => void = () => {}
  #scheduled = false
  /** A turn is being taken, which sends in the end. */
  #inTurn = false
  #closed = false
  /** Calls since the last flush that brought something to send. */
  #owed = 0

  constructor(binding: NativeBinding, { address = '0.0.0.0', port = 0 }: UdpOptions) {
    this.#addon = new binding.Socket(address, port, this.#onReady)
    this.local = { address: this.#addon.address, port: this.#addon.port }
    this.receiveBufferBytes = this.#addon.receiveBuffer || undefined
  }

  send(datagram: Uint8Array, to: Endpoint): void {
    if (this.#closed) return
    try {
      this.#addon.send(datagram, to.address, to.port)
    } catch {
      // No IPv4 address: the datagram is lost, which every caller expects.
    }
  }

  close(): void {
    this.#closed = true
    this.#addon.destroy()
  }

  /** Begins QUIC. `afterEvents` is called in each turn when they are told. */
  attach(
    options: AttachOptions,
    early: readonly Uint8Array[],
    listen: Listener,
    afterEvents: () => void,
  ): Addon {
    this.#addon.attach(options)
    for (const packet of early) this.#addon.receive(packet)
    this.#listen = listen
    this.#afterEvents = afterEvents
    this.again()
    return this.#addon
  }

  /** Stops telling; what is to be sent is sent by the addon's own `close`. */
  detach(): void {
    this.#listen = () => true
    this.#afterEvents = () => {}
  }

  /** There is something to send: at the end of the event loop's turn, or when there is as much as this of it. */
  owe(): void {
    // The turn that is being taken sends in the end.
    if (this.#inTurn || this.#closed) return
    if (++this.#owed < maxOwed) this.again()
    else this.#flush()
  }

  /** One more turn, soon. */
  again(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    setImmediate(this.#takeScheduled)
  }

  // --- internal ---

  /** Never at once: Bun works through what native code calls, and what that calls, before it looks at other sockets. */
  readonly #onReady = (): void => this.again()

  readonly #takeScheduled = (): void => {
    this.#scheduled = false
    this.#take()
  }

  readonly #take = (): void => {
    if (this.#closed) return
    this.#inTurn = true
    try {
      this.#tell()
      if (!this.#closed) this.#afterEvents()
    } finally {
      // Whatever a handler threw: the connection goes on sending, and tells the rest.
      this.#inTurn = false
      if (!this.#closed) this.#flush()
    }
  }

  #flush(): void {
    this.#owed = 0
    if (this.#addon.flush() || !this.#events.isEmpty) this.again()
  }

  #tell(): void {
    do {
      if (this.#events.isEmpty) this.#events.fill(this.#turn)
      this.#events.drain(this.#tellOne)
    } while (this.#events.isEmpty && this.#events.wasFull && !this.#closed)
  }

  readonly #turn = (words: Uint32Array): number => this.#addon.turn(words)

  readonly #tellOne = (kind: number, subject: number, code: number): boolean => {
    if (this.#closed) return false
    if (kind !== eventKinds.packets) return this.#listen(kind, subject, code)
    this.#tellPackets()
    return true
  }

  #tellPackets(): void {
    const count = this.#addon.packets(packetRoom)
    // A handler may bring about another socket's turn no sooner than this one is over: the room is ours.
    for (let i = 0, at = 0; i < count; i++) {
      const [l0 = 0, l1 = 0, p0 = 0, p1 = 0, ...ip] = packetRoom.subarray(at, at + headLength)
      const end = at + headLength + ((l0 << 8) | l1)
      if (this.#closed) return
      this.onDatagram(packetRoom.subarray(at + headLength, end), ip.join('.'), (p0 << 8) | p1)
      at = end
    }
  }
}

export type { Addon, AttachOptions, CloseReason, Stats }
