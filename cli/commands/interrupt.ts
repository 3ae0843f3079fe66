import { dlopen, ptr } from 'bun:ffi'
import { cLibrary } from '../../tunnel/net/c-library.ts'
import { debugStack } from '../output/debug-stack.ts'
import { exitCodes } from '../output/exit-codes.ts'

/** A clean shutdown that takes longer than this has failed: the process exits. Milliseconds. */
const limitMs = 2_900
/** npx and bun forward a Ctrl-C that the terminal has sent here, too: one this soon after the first is the same. */
const echoMs = 250

export interface InterruptOptions {
  /** What the process ends with; exitCodes.interrupted by default. */
  exitCode?: number
  /** What a SIGHUP calls instead of ending it. */
  onHangUp?: (() => void) | undefined
}

/**
 * Runs work that a Ctrl-C, a SIGTERM or a closing terminal (SIGHUP) calls off: `signal` is aborted, and when the work
 * has cleaned up, the process exits. A second signal ends it at once with exitCodes.interrupted. A SIGHUP that
 * was ignored when the program started, as nohup has it, stays ignored.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { exitCode = exitCodes.interrupted, onHangUp }: InterruptOptions = {},
): Promise<T> {
  const controller = new AbortController()
  let first: { signal: NodeJS.Signals; at: number } | undefined
  const onSignal = (signal: NodeJS.Signals) => {
    if (first) {
      const echo = signal === first.signal && performance.now() - first.at <= echoMs
      if (!echo) process.exit(exitCodes.interrupted)
      return
    }
    first = { signal, at: performance.now() }
    setTimeout(() => process.exit(exitCode || 1), limitMs).unref()
    controller.abort(new Error('interrupted'))
  }
  const signals = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).filter(
    name => name !== 'SIGHUP' || (!onHangUp && !isIgnored(hangUp)),
  )
  for (const name of signals) process.on(name, onSignal)
  if (onHangUp) process.on('SIGHUP', onHangUp)
  try {
    const result = await work(controller.signal)
    if (!first) return result
  } catch (error) {
    if (!first) throw error
    // Most often it says only that the work was called off; a clean-up that failed is not to vanish, though.
    debugStack(error)
  } finally {
    if (!first) for (const name of signals) process.off(name, onSignal)
    if (!first && onHangUp) process.off('SIGHUP', onHangUp)
  }
  await outputIsOut()
  process.exit(exitCode)
}

// --- internal ---

/** A reader that stands still is not waited for any longer. Milliseconds. */
const outputLimitMs = 500

/** What was written to a pipe is on its way: an exit would cut it off. Nothing can be written any more. */
const outputIsOut = (): Promise<unknown> =>
  Promise.race([new Promise<void>(resolve => process.stdout.end(() => resolve())), Bun.sleep(outputLimitMs)])

const hangUp = 1
/** SIG_IGN of signal.h. */
const ignored = 1n

/** Whether this process ignores a signal: neither Node's nor Bun's own calls tell. */
function isIgnored(signal: number): boolean {
  if (!cLibrary) return false
  try {
    const { symbols, close } = dlopen(cLibrary, {
      sigaction: { args: ['i32', 'ptr', 'ptr'], returns: 'i32' },
    })
    // struct sigaction begins with the handler; 256 bytes hold it on every system.
    const action = new BigUint64Array(32)
    const failed = symbols.sigaction(signal, null, ptr(action))
    close()
    return failed === 0 && action[0] === ignored
  } catch {
    // Another C library, say musl's under another name.
    return false
  }
}
