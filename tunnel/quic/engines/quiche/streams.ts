import type { EngineHandlers } from '../../engine.ts'
import type { Role } from '../../tuning.ts'
import type { QuicheConnection } from './binding.ts'
import type { CostMonitor } from './cost-monitor.ts'
import type { SendScheduler } from './send-scheduler.ts'
import { QuicheStream, type StreamHost } from './stream.ts'
import { StreamIds } from './stream-ids.ts'

export interface StreamsOptions {
  quiche: QuicheConnection
  role: Role
  scheduler: SendScheduler
  cost: CostMonitor
  handlers: Pick<EngineHandlers, 'onOpened' | 'onReadable' | 'onWritable' | 'onGone'>
}

/**
 * What quiche may hold unsent, in bytes. It would take as much as its congestion window has free at each packet
 * that comes in, whatever waits already: tens of megabytes, where many streams have plenty to send.
 */
const maxUnsent = 1024 * 1024

/** Tries in vain before quiche is asked who can write at all. */
const maxMisses = 3

/** The open streams of a connection: who is to read, who waits to write, and whose end is still to come. */
export class Streams {
  readonly #options: StreamsOptions
  readonly #host: StreamHost
  readonly #ids: StreamIds
  readonly #open = new Map<number, QuicheStream>()
  readonly #blocked = new Set<QuicheStream>()
  /** We gave these up, and quiche has not forgotten them yet. */
  readonly #leaving = new Set<number>()
  /** Their ends have come along with bytes, and have not been read yet. */
  readonly #ends = new Set<QuicheStream>()
  #over = false

  constructor(options: StreamsOptions) {
    const { quiche, role, scheduler, cost } = options
    this.#options = options
    this.#ids = new StreamIds(role)
    this.#host = {
      quiche,
      scheduler,
      cost,
      room: maxUnsent,
      block: stream => this.#blocked.add(stream),
      tellEnd: stream => {
        this.#ends.add(stream)
        scheduler.again()
      },
      forget: stream => {
        this.#open.delete(stream.id)
        this.#blocked.delete(stream)
        if (stream.wasReset) this.#leaving.add(stream.id)
      },
    }
  }

  /** Whether anybody waits to write. */
  get blocked(): boolean {
    return this.#blocked.size > 0
  }

  get(id: number): QuicheStream | undefined {
    return this.#open.get(id)
  }

  /** Opens a stream; undefined when the peer allows no more. */
  open(): number | undefined {
    if (this.#options.quiche.peerStreamsLeftBidi() === 0) return undefined
    return this.#add(this.#ids.next(), true).id
  }

  /** Tells of each stream that has something to read. */
  read(): void {
    const { quiche, handlers, cost } = this.#options
    let unread = 0
    for (const id of quiche.readable()) {
      if (this.#over) return
      const stream = this.#open.get(id) ?? this.#accept(id)
      if (!stream) continue
      stream.hasMore = true
      handlers.onReadable(id)
      if (stream.hasMore) unread++
    }
    cost.unread = unread
    for (const stream of this.#ends) {
      this.#ends.delete(stream)
      if (!stream.readOver && !this.#over) handlers.onReadable(stream.id)
    }
  }

  /**
   * Offers the blocked streams one try each, in the order of their line. Who took some and wants more goes to its
   * end; who could take nothing keeps its place. When that is nobody, the connection is full.
   */
  unblock(): void {
    let turns = this.#blocked.size
    let misses = 0
    let writable: Set<number> | undefined
    for (const stream of this.#blocked) {
      if (turns-- <= 0 || this.#host.room <= 0) return
      if (writable && !writable.has(stream.id)) continue
      const before = stream.written
      stream.blocked = false
      this.#options.handlers.onWritable(stream.id)
      if (stream.blocked && stream.written === before) {
        if (writable) return
        if (++misses < maxMisses) continue
        // Is it their own windows that are full? The list costs more than a few tries, and is most often empty.
        writable = new Set(this.#options.quiche.writable())
        if (writable.size === 0) return
        continue
      }
      const waits = stream.blocked && this.#blocked.has(stream)
      this.#blocked.delete(stream)
      if (waits) this.#blocked.add(stream)
    }
  }

  /** All that may be sent now is gone. True when somebody has waited for that. */
  sent(): boolean {
    const full = this.#host.room <= 0
    this.#host.room = maxUnsent
    return full && this.#blocked.size > 0
  }

  /**
   * At every tick: finds the ends and refusals that quiche keeps to itself, and gives the streams whose peer should
   * be asked for theirs.
   */
  look(): number[] {
    const overdue: number[] = []
    for (const stream of this.#open.values()) {
      this.#findEnd(stream)
      if (stream.isRefused()) this.#options.handlers.onGone(stream.id)
      if (stream.isOverdue()) overdue.push(stream.id)
    }
    for (const id of this.#leaving) this.#readAway(id)
    return overdue
  }

  /** The peer's answer: all that it sent on this one has arrived. */
  settle(id: number): void {
    const stream = this.#open.get(id)
    stream?.endAfterRest()
    if (stream) this.#findEnd(stream)
  }

  /** Whether quiche still has something to do for it. */
  isKept(id: number): boolean {
    try {
      this.#options.quiche.streamCapacity(id)
      return true
    } catch {
      return false
    }
  }

  /** The connection is gone, and so are they. */
  lost(): void {
    this.#over = true
    this.#open.clear()
    this.#blocked.clear()
    this.#leaving.clear()
    this.#ends.clear()
  }

  // --- internal ---

  #add(id: number, ours: boolean): QuicheStream {
    const stream = new QuicheStream(id, this.#host, ours)
    this.#open.set(id, stream)
    return stream
  }

  #accept(id: number): QuicheStream | undefined {
    if (this.#ids.isNew(id)) {
      const stream = this.#add(id, false)
      this.#options.handlers.onOpened(id)
      return stream
    }
    this.#readAway(id)
    return undefined
  }

  /** Reads what comes on a stream that we gave up, so that it can be forgotten. */
  #readAway(id: number): void {
    try {
      for (;;) {
        const [length = 0] = this.#options.quiche.streamRecv(id, discard) ?? []
        if (length === 0) break
        this.#options.cost.delivered(length)
      }
    } catch {
      // A reset.
    }
    if (!this.isKept(id)) this.#leaving.delete(id)
  }

  #findEnd(stream: QuicheStream): void {
    if (stream.findEnd()) this.#options.handlers.onReadable(stream.id)
  }
}

const discard = new Uint8Array(64 * 1024)
