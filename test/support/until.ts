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

/** What a promise gives that must be settled soon; the limit (milliseconds, times the patience) only ends a test that fails. */
export async function within<T>(work: Promise<T>, what: string, limitMs = 60_000): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`waited in vain for: ${what}`)), patient(limitMs))
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer))
}
