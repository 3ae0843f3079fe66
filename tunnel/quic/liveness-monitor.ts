/** A peer that was silent for this long is probed (milliseconds). */
const probeAfterMs = 1_000
/** A peer that answers no probe for this long is called silent (milliseconds): with the tick, within 3 s in all. */
const silentAfterMs = 2_250
const tickMs = 250

export interface LivenessOptions {
  /** Packets of the peer's so far. */
  received: () => number
  /** Called at every tick. */
  onTick: () => void
  /** Ask the peer for a sign of life. */
  probe: () => void
  /** The peer fell silent (true) or was heard again (false). */
  onSilence: (silent: boolean) => void
}

/** Whether the peer is there: four times a second, one that says nothing is asked, and one that does not answer is called silent. */
export class LivenessMonitor {
  silent = false
  readonly #options: LivenessOptions
  #timer: ReturnType<typeof setInterval> | undefined
  #received = 0
  #quietMs = 0
  #tickedAt = 0
  /** What comes before the next tick says nothing: it may have been waiting for long. */
  #doubted = false

  constructor(options: LivenessOptions) {
    this.#options = options
  }

  start(): void {
    this.#tickedAt = performance.now()
    this.#timer = setInterval(() => this.#tick(), tickMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** The path may be gone: the peer is asked at once, and called silent sooner than otherwise. */
  doubt(): void {
    if (this.#timer === undefined) return
    // Something must come after the next tick, within two more.
    this.#quietMs = Math.max(this.#quietMs, silentAfterMs - 1.8 * tickMs)
    this.#doubted = true
    this.#options.probe()
  }

  // --- internal ---

  #tick(): void {
    const now = performance.now()
    const received = this.#options.received()
    const heard = received !== this.#received
    // What this process slept through, on a busy machine or a closed laptop, was not the peer's silence.
    const passedMs = Math.min(now - this.#tickedAt, 2 * tickMs)
    if (!this.#doubted) this.#quietMs = heard ? 0 : this.#quietMs + passedMs
    this.#doubted = false
    this.#received = received
    this.#tickedAt = now
    this.#options.onTick()
    if (this.#quietMs >= probeAfterMs) this.#options.probe()
    const silent = this.#quietMs >= silentAfterMs
    if (silent === this.silent) return
    this.silent = silent
    this.#options.onSilence(silent)
  }
}
