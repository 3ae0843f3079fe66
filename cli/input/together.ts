/**
 * Runs all tasks and gives their results. Throws their errors together, so that a person hears of everything that is
 * wrong at once.
 */
export async function together<T extends readonly (() => unknown)[]>(
  ...tasks: T
): Promise<{ [K in keyof T]: Awaited<ReturnType<T[K]>> }> {
  const settled = await Promise.allSettled(tasks.map(async task => task()))
  throwTogether(settled.flatMap(each => (each.status === 'rejected' ? [each.reason] : [])))
  return settled.map(each => (each as PromiseFulfilledResult<unknown>).value) as never
}

/** Throws one error as it is and several as one AggregateError, and nothing where there is none. */
export function throwTogether(errors: readonly unknown[]): void {
  const all = errors.flatMap(errorsIn)
  if (all.length === 1) throw all[0]
  if (all.length > 1) throw new AggregateError(all, `${all.length} things are wrong`)
}

/** What was thrown at once: each of an AggregateError's, or the one error. */
export const errorsIn = (error: unknown): unknown[] =>
  error instanceof AggregateError ? error.errors : [error]
