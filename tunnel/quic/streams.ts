import { BoundedMap } from '../net/bounded-map.ts'
import type { EngineConnection } from './engine-connection.ts'
import { QuicStream, type StreamHost } from './stream.ts'

/** Streams that are over, by how. */
export interface StreamStatus {
  ended: number[]
  aborted: number[]
}

/** Streams that we gave up and whose peer may still ask: as many as may be open at once. */
const maxRemembered = 4096

interface Slot {
  stream: QuicStream | undefined
}

/** The open streams of a connection, and how those ended that the peer may ask about. */
export class Streams {
  readonly #engine: EngineConnection
  readonly #open = new Map<number, Slot>()
  readonly #givenUp = new BoundedMap<number, true>(maxRemembered)
  /** Both directions had ended here: a break of the peer's may cross that. */
  readonly #completed = new BoundedMap<number, true>(maxRemembered)
  /** Where streams break off of which nothing has come yet. */
  readonly #breaks = new BoundedMap<number, number>(maxRemembered)
  readonly #host: StreamHost

  constructor(engine: EngineConnection, control: Pick<StreamHost, 'tellBreak' | 'tellOver'>) {
    this.#engine = engine
    this.#host = {
      engine,
      ...control,
      forget: stream => {
        this.#forget(stream.id)
        const past = stream.aborted ? this.#givenUp : this.#completed
        past.set(stream.id, true)
      },
    }
  }

  get size(): number {
    return this.#open.size
  }

  get(id: number): QuicStream | undefined {
    return this.#open.get(id)?.stream
  }

  add(id: number): QuicStream {
    const stream = new QuicStream(id, this.#host)
    this.#open.set(id, { stream })
    const at = this.#breaks.get(id)
    if (at !== undefined) stream.breakAt(at)
    this.#breaks.delete(id)
    return stream
  }

  /** Gives up the streams on which nothing has come back: a silent peer may never have seen them. */
  abortUnheard(): void {
    for (const stream of this.#list()) if (!stream.heard) stream.abort(0)
  }

  /** The peer breaks a stream off behind so many bytes, an end counted as one. */
  breakAt(id: number, at: number): void {
    const stream = this.get(id)
    if (stream) stream.breakAt(at)
    else if (this.#completed.has(id)) this.#host.tellOver(id)
    else this.#breaks.set(id, at)
  }

  /** Which of these, that the peer still has, are over here and will never be heard of again. */
  statusOf(ids: readonly number[]): StreamStatus {
    const status: StreamStatus = { ended: [], aborted: [] }
    for (const id of ids)
      if (!this.#open.has(id) && !this.#engine.isKept(id))
        status[this.#givenUp.has(id) ? 'aborted' : 'ended'].push(id)
    return status
  }

  /** The peer's answer: all that it sent on these has arrived. */
  settle({ ended, aborted }: StreamStatus): void {
    for (const id of ended) if (this.#open.has(id)) this.#engine.lostEnds?.settle(id)
    for (const id of aborted) this.get(id)?.abort(0)
  }

  /** The connection is gone, and so are they. */
  lost(): void {
    for (const stream of this.#list()) stream.lost()
    this.#open.clear()
  }

  // --- internal ---

  #list(): QuicStream[] {
    return [...this.#open.values()].flatMap(({ stream }) => stream ?? [])
  }

  /** What was deleted from a Map stays in its old tables (see Roster): there the slot is empty. */
  #forget(id: number): void {
    const slot = this.#open.get(id)
    if (slot) slot.stream = undefined
    this.#open.delete(id)
  }
}
