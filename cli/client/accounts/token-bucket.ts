/** What may go at once after a rest: a tenth of a second's, and at least this. Bytes. */
const leastBurst = 16_384
/** Of those that wait, each is taken to want this much when they go on. Bytes. */
const turn = 16_384

/**
 * Lets bytes through at a rate. They are taken first and paid for afterwards: who finds it in debt waits until that is
 * paid, each in its turn.
 */
export class TokenBucket {
  #rate: number
  readonly #now: () => number
  readonly #waiting = new Set<() => void>()
  #level: number
  #at: number
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(rate: number, now: () => number = () => performance.now()) {
    this.#rate = rate
    this.#now = now
    this.#level = this.#burst
    this.#at = now()
  }

  /** Bytes a second. */
  get rate(): number {
    return this.#rate
  }

  /** Those who wait do so no longer than the new one asks for. */
  set rate(rate: number) {
    this.#fill()
    this.#rate = rate
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#arm()
  }

  take(bytes: number): void {
    this.#fill()
    this.#level -= bytes
  }

  /** There is a debt: nothing more may go. */
  get inDebt(): boolean {
    this.#fill()
    return this.#level < 0
  }

  /** Calls back when the debt is paid, never from within. Gives the function that takes that back. */
  whenPaid(callback: () => void): () => void {
    // A new function each time, so that one callback can wait twice.
    const entry = () => callback()
    this.#waiting.add(entry)
    this.#arm()
    return () => void this.#waiting.delete(entry)
  }

  get #burst(): number {
    return Math.max(this.rate / 10, leastBurst)
  }

  #fill(): void {
    const now = this.#now()
    this.#level = Math.min(this.#burst, this.#level + ((now - this.#at) * this.rate) / 1_000)
    this.#at = now
  }

  #arm(): void {
    if (this.#timer || this.#waiting.size === 0) return
    const ms = Math.max(1, Math.ceil((-this.#level * 1_000) / this.rate))
    this.#timer = setTimeout(() => this.#wake(), Math.min(ms, 60_000))
    this.#timer.unref()
  }

  #wake(): void {
    this.#timer = undefined
    this.#fill()
    let room = this.#level
    for (const entry of this.#waiting) {
      if (room < 0) break
      room -= turn
      this.#waiting.delete(entry)
      entry()
    }
    this.#arm()
  }
}
