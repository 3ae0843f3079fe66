/** The time that a load takes: all of it, or so long from the first byte on. */
export interface Clock {
  /** The first byte is here; later calls say nothing new. */
  begin(): void
  isOver(): boolean
  /** Never, without a time. */
  readonly over: Promise<void>
  seconds(): number
}

export function createClock(forMs: number | undefined): Clock {
  const created = performance.now()
  const { promise, resolve } = Promise.withResolvers<void>()
  let begun = false
  let ended = false
  return {
    begin() {
      if (forMs === undefined || begun) return
      begun = true
      setTimeout(() => {
        ended = true
        resolve()
      }, forMs)
    },
    isOver: () => ended,
    over: promise,
    seconds: () => (ended && forMs ? forMs : performance.now() - created) / 1000,
  }
}
