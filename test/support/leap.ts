// Preloaded into a program (BUN_OPTIONS=--preload=…): at SIGUSR2 an hour passes for its timers and performance.now(),
// timer by timer, and it says so on its standard error. Date goes on as it was: requests are signed with it.

const hourMs = 3_600_000

interface Pending {
  due: number
  everyMs: number | undefined
  run(): void
  real: NodeJS.Timeout
}

const real = { setTimeout, clearTimeout, now: performance.now.bind(performance) }
let leapt = 0
const now = () => real.now() + leapt
const timers = new Map<unknown, Pending>()

performance.now = now

const fire = (handle: unknown, timer: Pending) => {
  real.clearTimeout(timer.real)
  if (timer.everyMs === undefined) timers.delete(handle)
  else {
    timer.due = Math.max(now(), timer.due) + timer.everyMs
    timer.real = real.setTimeout(() => fire(handle, timer), timer.due - now())
  }
  timer.run()
}

const arm = (
  action: (...given: unknown[]) => void,
  ms: number,
  everyMs: number | undefined,
  given: unknown[],
) => {
  const handle = {
    ref: () => handle,
    unref: () => handle,
    hasRef: () => true,
    refresh: () => handle,
    [Symbol.dispose]: () => disarm(handle),
  }
  const timer: Pending = {
    due: now() + ms,
    everyMs,
    run: () => action(...given),
    real: real.setTimeout(() => fire(handle, timer), ms),
  }
  timers.set(handle, timer)
  return handle
}

const disarm = (handle: unknown) => {
  const timer = timers.get(handle)
  if (timer) real.clearTimeout(timer.real)
  timers.delete(handle)
}

Object.assign(globalThis, {
  setTimeout: (action: () => void, ms = 0, ...given: unknown[]) => arm(action, ms, undefined, given),
  setInterval: (action: () => void, ms = 0, ...given: unknown[]) => arm(action, ms, Math.max(ms, 1), given),
  clearTimeout: disarm,
  clearInterval: disarm,
})

process.on('SIGUSR2', async () => {
  const until = now() + hourMs
  let fired = 0
  for (;;) {
    const next = [...timers].reduce<[unknown, Pending] | undefined>(
      (first, each) => (first && first[1].due <= each[1].due ? first : each),
      undefined,
    )
    if (!next || next[1].due > until) break
    leapt += Math.max(0, next[1].due - now())
    fire(...next)
    fired++
    // What it has set going comes first: requests would be seen.
    await new Promise(resolve => setImmediate(resolve))
  }
  leapt += Math.max(0, until - now())
  console.error(`an hour has passed: ${fired} timers`)
})

export {}
