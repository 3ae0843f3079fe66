/** After this long a clean end has failed, and the process ends all the same. Milliseconds. */
const limitMs = 2_900

/**
 * Resolves at the first Ctrl-C or SIGTERM; then `close` has just under 3 seconds. A second signal ends
 * the process at once with 130.
 */
export async function untilInterrupted(close: () => Promise<void>): Promise<never> {
  await new Promise<void>(resolve => {
    let signals = 0
    const onSignal = () => (++signals === 1 ? resolve() : process.exit(130))
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  })
  setTimeout(() => process.exit(1), limitMs).unref()
  await close()
  process.exit(0)
}
