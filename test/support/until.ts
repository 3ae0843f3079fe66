/** Waits for what must become true soon; the limit (milliseconds) is for a test that fails. */
export async function until(condition: () => boolean, what: string, limitMs = 10_000): Promise<void> {
  const limit = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() > limit) throw new Error(`waited in vain for: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
