/** Gives out so many turns a second, and as many at once; what comes faster waits its turn. */
export function rateLimiter(perSecond: number): () => Promise<void> {
  let free = perSecond
  let at = performance.now()
  const waiting: (() => void)[] = []
  let armed = false

  const refill = () => {
    const now = performance.now()
    free = Math.min(perSecond, free + ((now - at) / 1_000) * perSecond)
    at = now
  }
  const arm = () => {
    if (armed || waiting.length === 0) return
    armed = true
    setTimeout(serve, Math.ceil(1_000 / perSecond))
  }
  const serve = () => {
    armed = false
    refill()
    for (; free >= 1 && waiting.length > 0; free--) waiting.shift()!()
    arm()
  }
  return () => {
    refill()
    if (free >= 1 && waiting.length === 0) {
      free--
      return Promise.resolve()
    }
    return new Promise(resolve => {
      waiting.push(resolve)
      arm()
    })
  }
}
