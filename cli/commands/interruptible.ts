/** After this long a clean end has failed, and the process ends all the same. Milliseconds. */
const limitMs = 2_900

/**
 * Does something that a Ctrl-C or a SIGTERM calls off: the signal aborts then, and when the work has cleaned up, its end
 * is the process's, with 130. A second one ends the process at once. Undefined when it was called off.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const controller = new AbortController()
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(130)
    setTimeout(() => process.exit(130), limitMs).unref()
    controller.abort(new Error('interrupted'))
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  try {
    const result = await work(controller.signal)
    if (!controller.signal.aborted) return result
  } catch (error) {
    if (!controller.signal.aborted) throw error
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
  process.exitCode = 130
  return undefined
}
