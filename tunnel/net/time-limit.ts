/** A limit that runs; to be ended by `endLimit`. */
export interface TimeLimit {
  readonly dueAt: number
  readonly late: () => void
  readonly limits: TimeLimits
}

/**
 * Calls `late` after so many milliseconds, unless the limit is ended before. For what there are thousands of, and seldom
 * lasts so long: all limits of one length share one timer, which does not keep the process. Lengths are constants.
 */
export function startLimit(ms: number, late: () => void): TimeLimit {
  const limits = all.get(ms) ?? new TimeLimits(ms)
  all.set(ms, limits)
  return limits.start(late)
}

/** Ends a limit; one that is over, or ended already, stays so. */
export function endLimit(limit: TimeLimit | undefined): void {
  limit?.limits.end(limit)
}

// --- internal ---

const all = new Map<number, TimeLimits>()

/** Limits of one length: they come due in the order in which they began. */
class TimeLimits {
  readonly #ms: number
  readonly #running = new Set<TimeLimit>()
  #armed = false

  constructor(ms: number) {
    this.#ms = ms
  }

  start(late: () => void): TimeLimit {
    const limit: TimeLimit = { dueAt: performance.now() + this.#ms, late, limits: this }
    this.#running.add(limit)
    if (!this.#armed) this.#arm(this.#ms)
    return limit
  }

  end(limit: TimeLimit): void {
    this.#running.delete(limit)
  }

  #arm(ms: number): void {
    this.#armed = true
    setTimeout(this.#look, ms).unref()
  }

  readonly #look = (): void => {
    this.#armed = false
    try {
      for (const limit of this.#running) {
        if (limit.dueAt > performance.now()) break
        this.#running.delete(limit)
        limit.late()
      }
    } finally {
      const [next] = this.#running
      if (next && !this.#armed) this.#arm(Math.max(1, next.dueAt - performance.now()))
    }
  }
}
