/** After this long a clean end has failed, and the process ends all the same. Milliseconds. */
const limitMs = 2_900
/** npx and bun pass on a Ctrl-C that the terminal sent here as well: what comes this soon is the same one. */
const echoMs = 250

/**
 * Resolves at the first Ctrl-C or SIGTERM; then `close` has just under 3 seconds. A second signal ends
 * the process at once with 130.
 */
export async function untilInterrupted(close: () => Promise<void>): Promise<never> {
  await new Promise<void>(resolve => {
    let first: { signal: NodeJS.Signals; at: number } | undefined
    const onSignal = (signal: NodeJS.Signals) => {
      first ??= { signal, at: performance.now() }
      const echo = signal === first.signal && performance.now() - first.at <= echoMs
      if (!echo) process.exit(130)
      resolve()
    }
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  })
  setTimeout(() => process.exit(1), limitMs).unref()
  await close()
  process.exit(0)
}
