import { streamEnded, streamGone } from '../../engine-connection.ts'
import { type QuicheConnection, shutdownRead, shutdownWrite } from './binding.ts'
import type { CostMonitor } from './cost-monitor.ts'
import type { SendScheduler } from './send-scheduler.ts'

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly quiche: QuicheConnection
  readonly scheduler: SendScheduler
  readonly cost: CostMonitor
  /** Bytes that the streams may hand over before what they have handed over is sent. */
  room: number
  /** The stream waits to write more. */
  block(stream: QuicheStream): void
  /** The end has come along with bytes: it is told once more if the reader does not ask for it. */
  tellEnd(stream: QuicheStream): void
  /** Both directions are over. */
  forget(stream: QuicheStream): void
}

/** What this engine knows of an open stream. Nothing is buffered here. */
export class QuicheStream {
  /** The last write was not taken whole. */
  blocked = false
  /** Bytes that quiche has taken. */
  written = 0
  /** quiche has something to be read, as far as is known. */
  hasMore = false
  /** Nothing more is to be read. */
  readOver = false
  /** The peer's end is known: behind what quiche still has, if anything. */
  ended = false
  /** It was given up: quiche forgets it when the peer's end or reset has been read once more behind ours. */
  wasReset = false
  #writeOver = false
  #finished = false
  /** Something has come from the peer. */
  #heard = false
  /** The peer's end was told in another way than by quiche. */
  #endTold = false
  /** Ticks for which an end was awaited and nothing came. */
  #quietTicks = 0

  /** quiche has seen it: the peer opened it, or something was written. */
  #known: boolean

  constructor(
    readonly id: number,
    readonly host: StreamHost,
    /** This end opens it. */
    ours: boolean,
  ) {
    this.#known = !ours
  }

  read(buffer: Uint8Array): number {
    if (this.readOver || this.ended) return this.#endRead()
    let result: [number, boolean] | null
    try {
      result = this.host.quiche.streamRecv(this.id, buffer)
    } catch {
      this.#overRead()
      return streamGone
    }
    if (!result) {
      this.hasMore = false
      return 0
    }
    const [length, fin] = result
    this.#heard = true
    this.#quietTicks = 0
    this.host.cost.delivered(length)
    // What was read opens the peer's window: the update must be sent even if nothing else is.
    this.host.scheduler.scheduleAck()
    if (!fin) return length
    this.hasMore = false
    this.ended = true
    if (length === 0) return this.#endRead()
    this.host.tellEnd(this)
    return length
  }

  write(chunk: Uint8Array): number {
    if (this.#writeOver) return streamGone
    const { host } = this
    let taken = 0
    try {
      if (host.room > 0 && chunk.length > 0) taken = host.quiche.streamSend(this.id, chunk, false) ?? 0
    } catch {
      this.#overWrite()
      return streamGone
    }
    if (taken === 0 && this.isRefused()) {
      this.#overWrite()
      return streamGone
    }
    // With nothing taken there is nothing to send: waking for it would keep a blocked stream spinning.
    if (taken > 0) {
      this.#known = true
      host.scheduler.wake()
    }
    this.written += taken
    host.room -= taken
    this.blocked = taken < chunk.length
    if (this.blocked) host.block(this)
    return taken
  }

  /**
   * Whether nothing more can be sent, though this end has not ended: the peer has refused it, or quiche has
   * forgotten it since. `streamSend` says of that one what it says of one without room; `streamCapacity` throws.
   */
  isRefused(): boolean {
    if (this.#writeOver || !this.#known) return false
    try {
      this.host.quiche.streamCapacity(this.id)
      return false
    } catch {
      return true
    }
  }

  finish(): void {
    if (this.#writeOver) return
    try {
      this.host.quiche.streamSend(this.id, new Uint8Array(), true)
    } catch {
      // The peer refused the stream already; the read side tells.
    }
    this.host.scheduler.flushFin()
    this.#finished = true
    this.#overWrite()
  }

  reset(code: number): void {
    this.wasReset = true
    this.#shutdown(shutdownWrite, code)
    this.#overWrite()
  }

  /**
   * What comes is read away until the peer's end or reset: quiche 0.18 takes no notice of a reset behind a refusal, and
   * may then never forget the stream. Only where our own end is all that the peer will hear is it told of the refusal.
   */
  stop(code: number): void {
    if (this.#finished) this.#shutdown(shutdownRead, code)
    this.#overRead()
  }

  /**
   * Looks whether the peer's end has come unnoticed: of one that comes along with bytes sent again, all of
   * which were here already, quiche 0.18 says nothing. True when it has.
   */
  findEnd(): boolean {
    const { quiche } = this.host
    if (!this.#heard || this.readOver || this.ended) return false
    // What is readable, a reset too, is told in the ordinary way.
    if (quiche.streamReadable(this.id) || !(this.#endTold || quiche.streamFinished(this.id))) return false
    this.ended = true
    return true
  }

  /**
   * Whether the peer should be asked if it has ended: only who has our end can have forgotten the stream, and
   * its own with it. True after a second of silence, then after twice as long each time, up to a minute.
   */
  isOverdue(): boolean {
    if (!this.#heard || !this.#writeOver || this.readOver || this.ended) return false
    const ticks = ++this.#quietTicks
    return ticks >= firstAskTicks && (isPowerOfTwo(ticks) || ticks % lastAskTicks === 0)
  }

  /** The peer has ended, and all that it sent is here: what is not read yet is still read first. */
  endAfterRest(): void {
    this.#endTold = true
  }

  // --- internal ---

  #endRead(): number {
    this.#overRead()
    return streamEnded
  }

  #overRead(): void {
    this.readOver = true
    if (this.#writeOver) this.host.forget(this)
  }

  #overWrite(): void {
    this.#writeOver = true
    if (this.readOver) this.host.forget(this)
  }

  #shutdown(direction: number, code: number): void {
    try {
      this.host.quiche.streamShutdown(this.id, direction, code)
    } catch {
      // That direction is over already.
    }
    this.host.scheduler.wake()
  }
}

/** Ticks are a quarter of a second. */
const firstAskTicks = 4
const lastAskTicks = 256
const isPowerOfTwo = (n: number) => (n & (n - 1)) === 0
