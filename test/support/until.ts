import { setTimeout as sleep } from 'node:timers/promises'
import { patient } from './patience.ts'

/** Waits for what must become true soon; the limit (milliseconds, times the patience) only ends a test that fails. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 30_000,
): Promise<void> {
  const limit = performance.now() + patient(limitMs)
  while (!(await condition())) {
    if (performance.now() > limit) throw new Error(`waited in vain for: ${what}`)
    await sleep(5)
  }
}
