/** What is known of a stream whose end has not come. */
interface Waiting {
  /** Something has come from the peer. */
  heard: boolean
  /** The peer has our end. */
  finished: boolean
  /** The peer has ended, as was found out in another way. */
  ended: boolean
  /** Ticks for which nothing came. */
  quietTicks: number
}

/**
 * Ends that a peer has forgotten to send: quiche 0.18 does when its bytes are acknowledged before its end is in a
 * packet. Only who has our end can have forgotten a stream, and its own with it; the peer is asked for it then.
 */
export class MissingEnds {
  readonly #waiting = new Map<number, Waiting>()

  /** A stream begins. */
  begin(stream: number): void {
    this.#waiting.set(stream, { heard: false, finished: false, ended: false, quietTicks: 0 })
  }

  /** Something has come on the stream. */
  heard(stream: number): void {
    const waiting = this.#waiting.get(stream)
    if (!waiting) return
    waiting.heard = true
    waiting.quietTicks = 0
  }

  /** All that we sent on the stream has arrived, and our end. */
  finished(stream: number): void {
    const waiting = this.#waiting.get(stream)
    if (waiting) waiting.finished = true
  }

  /** Whether the peer was found to have ended it. */
  isFound(stream: number): boolean {
    return this.#waiting.get(stream)?.ended === true
  }

  /** The peer has ended it. False: nobody waits for that. */
  found(stream: number): boolean {
    const waiting = this.#waiting.get(stream)
    if (waiting) waiting.ended = true
    return waiting !== undefined
  }

  /** Nothing more is to be read of the stream. */
  forget(stream: number): void {
    this.#waiting.delete(stream)
  }

  clear(): void {
    this.#waiting.clear()
  }

  /** Called at each tick: the streams to ask for, after a second of silence, then after twice as long each time, up to a minute. */
  look(): number[] {
    const overdue: number[] = []
    for (const [stream, waiting] of this.#waiting) {
      if (!waiting.heard || !waiting.finished || waiting.ended) continue
      const ticks = ++waiting.quietTicks
      if (ticks >= firstAskTicks && (isPowerOfTwo(ticks) || ticks % lastAskTicks === 0)) overdue.push(stream)
    }
    return overdue
  }
}

/** Ticks are a quarter of a second. */
const firstAskTicks = 4
const lastAskTicks = 256
const isPowerOfTwo = (n: number) => (n & (n - 1)) === 0
