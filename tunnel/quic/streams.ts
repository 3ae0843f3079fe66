import type { QuicheConnection } from './binding.ts'
import { QuicError } from './close-reason.ts'
import { QuicStream, type StreamHost } from './stream.ts'
import { StreamIds } from './stream-ids.ts'

export interface StreamsOptions {
  quiche: QuicheConnection
  role: 'client' | 'server'
  wake(): void
  later(): void
  again(): void
  hurry(): void
  onStream(stream: QuicStream): void
}

/** Streams that are over, by how. */
export interface StreamStatus {
  ended: number[]
  aborted: number[]
}

/**
 * What quiche may hold unsent, in bytes. It would take as much as its congestion window has free at each packet
 * that comes in, whatever waits already: tens of megabytes, where many streams have plenty to send.
 */
const maxUnsent = 1024 * 1024

/** Tries in vain before quiche is asked who can write at all. */
const maxMisses = 3

/** Streams that we gave up and whose peer may still ask: as many as may be open at once. */
const maxRemembered = 4096

/** The open streams of a connection: who is to read, who waits to write, and whose end is still to come. */
export class Streams {
  readonly #options: StreamsOptions
  readonly #host: StreamHost
  readonly #ids: StreamIds
  readonly #open = new Map<number, QuicStream>()
  readonly #blocked = new Set<QuicStream>()
  readonly #givenUp = new Set<number>()
  #over = false

  constructor(options: StreamsOptions) {
    const { quiche, role, wake, later, again, hurry } = options
    this.#options = options
    this.#ids = new StreamIds(role)
    this.#host = {
      quiche,
      room: maxUnsent,
      wake,
      later,
      again,
      hurry,
      block: stream => this.#blocked.add(stream),
      forget: stream => this.#forget(stream),
    }
  }

  get size(): number {
    return this.#open.size
  }

  /** Whether anybody waits to write. */
  get blocked(): boolean {
    return this.#blocked.size > 0
  }

  /** Opens a stream. Throws a QuicError when the peer allows no more. */
  open(): QuicStream {
    if (this.#options.quiche.peerStreamsLeftBidi() === 0)
      throw new QuicError({ kind: 'failed', message: 'the exit allows no more connections at once' })
    return this.#add(this.#ids.next())
  }

  /** Tells each stream that has something to read. */
  read(): void {
    for (const id of this.#options.quiche.readable()) {
      if (this.#over) return
      ;(this.#open.get(id) ?? this.#accept(id))?.onReadable()
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
      stream.onWritable()
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

  /** Gives up the streams on which nothing has come back: a silent peer may never have seen them. */
  abortUnheard(): void {
    for (const stream of [...this.#open.values()]) if (!stream.heard) stream.abort()
  }

  /** At every tick: finds the ends that quiche keeps to itself, and gives the streams whose peer should be asked for theirs. */
  lookForEnds(): number[] {
    const overdue: number[] = []
    for (const stream of this.#open.values()) {
      stream.lookForEnd()
      if (stream.isOverdue()) overdue.push(stream.id)
    }
    return overdue
  }

  /** Which of these, that the peer still has, are over here and will never be heard of again. */
  statusOf(ids: readonly number[]): StreamStatus {
    const status: StreamStatus = { ended: [], aborted: [] }
    for (const id of ids)
      if (!this.#open.has(id) && !this.#isKept(id))
        status[this.#givenUp.has(id) ? 'aborted' : 'ended'].push(id)
    return status
  }

  /** The peer's answer: all that it sent on these has arrived. */
  settle({ ended, aborted }: StreamStatus): void {
    for (const id of ended) this.#open.get(id)?.endAfterRest()
    for (const id of aborted) this.#open.get(id)?.abort()
  }

  /** The connection is gone, and so are they. */
  lost(): void {
    this.#over = true
    for (const stream of [...this.#open.values()]) stream.lost()
    this.#open.clear()
    this.#blocked.clear()
  }

  // --- internal ---

  #add(id: number): QuicStream {
    const stream = new QuicStream(id, this.#host)
    this.#open.set(id, stream)
    return stream
  }

  #accept(id: number): QuicStream | undefined {
    if (this.#ids.isNew(id)) {
      const stream = this.#add(id)
      this.#options.onStream(stream)
      return stream
    }
    // The last word on a stream that we gave up: read it away so that the stream can be forgotten.
    try {
      this.#options.quiche.streamRecv(id, discard)
    } catch {
      // A reset: that was it.
    }
    return undefined
  }

  #forget(stream: QuicStream): void {
    this.#open.delete(stream.id)
    this.#blocked.delete(stream)
    if (!stream.aborted) return
    this.#givenUp.add(stream.id)
    for (const oldest of this.#givenUp) {
      if (this.#givenUp.size <= maxRemembered) break
      this.#givenUp.delete(oldest)
    }
  }

  /** Whether quiche still has something to do for it. */
  #isKept(id: number): boolean {
    try {
      this.#options.quiche.streamCapacity(id)
      return true
    } catch {
      return false
    }
  }
}

const discard = new Uint8Array(4096)
