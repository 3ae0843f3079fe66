import type { Test } from 'uvu'

interface Closable {
  close(): unknown
}

/** Gives what keeps a thing until the running test is over; then all are closed, the last kept first. */
export function closeAfterEach<Context>(test: Test<Context>): <T extends Closable>(thing: T) => T {
  const kept: Closable[] = []
  test.after.each(async () => {
    for (const thing of kept.splice(0).reverse()) await thing.close()
  })
  return thing => {
    kept.push(thing)
    return thing
  }
}
