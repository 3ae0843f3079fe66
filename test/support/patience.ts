import { availableParallelism, loadavg } from 'node:os'

/**
 * Limits that only end a hung test are multiplied by this. `TEST_PATIENCE` sets it; without it, it grows with the
 * load of the machine. Nothing that a test asserts depends on it.
 */
export const patience = Number(process.env.TEST_PATIENCE) || measuredPatience()

/** A limit that only ends a hung test, in milliseconds. */
export const patient = (ms: number): number => ms * patience

/** 2 on a machine at rest, more by one for each job that waits for a core, 12 at most. */
export function measuredPatience(): number {
  const waiting = (loadavg()[0] ?? 0) / availableParallelism()
  return Math.min(12, 2 + Math.floor(waiting))
}
