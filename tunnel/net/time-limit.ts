import { Roster, type RosterEntry } from './roster.ts'

/** A limit that runs; to be ended by `endLimit`. */
export type TimeLimit = RosterEntry<Due>

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
  limit?.leave()
}

// --- internal ---

interface Due {
  readonly at: number
  readonly late: () => void
}

const all = new Map<number, TimeLimits>()

/** Limits of one length: they come due in the order in which they began. */
class TimeLimits {
  readonly #ms: number
  readonly #running = new Roster<Due>()
  #armed = false

  constructor(ms: number) {
    this.#ms = ms
  }

  start(late: () => void): TimeLimit {
    if (!this.#armed) this.#arm(this.#ms)
    return this.#running.enter({ at: performance.now() + this.#ms, late })
  }

  #arm(ms: number): void {
    this.#armed = true
    setTimeout(this.#look, ms).unref()
  }

  readonly #look = (): void => {
    this.#armed = false
    try {
      for (;;) {
        const limit = this.#running.oldest
        if (!limit || limit.value.at > performance.now()) break
        limit.leave()
        limit.value.late()
      }
    } finally {
      const next = this.#running.oldest
      if (next && !this.#armed) this.#arm(Math.max(1, next.value.at - performance.now()))
    }
  }
}
