import { setTimeout as sleep } from 'node:timers/promises'
import { type AllocateOptions, Allocation } from './allocation.ts'
import type { TurnCredentials } from './credentials.ts'
import type { TurnServerName } from './uri.ts'

/** The TURN servers to ask, and what they want to be shown. */
export interface TurnSettings {
  servers: readonly TurnServerName[]
  credentials: TurnCredentials
  /** Certificates (PEM) to trust besides the system's. */
  ca?: string | undefined
}

/** A server that has not answered by then is not waited for alone: the next is asked as well. Milliseconds. */
const nextServerMs = 250

/**
 * An address of the first server that lends one. They are asked in their order, the next at once where one refuses and
 * after a moment where it is silent. Throws the first server's TurnError when none lends one, or the signal's reason.
 */
export async function allocate(
  { servers, credentials, ca }: TurnSettings,
  { limitMs, signal }: Pick<AllocateOptions, 'limitMs' | 'signal'> = {},
): Promise<Allocation> {
  const over = new AbortController()
  const until = signal ? AbortSignal.any([over.signal, signal]) : over.signal
  let won: Allocation | undefined
  let before: Promise<unknown> = Promise.resolve()
  const attempts = servers.map((server, index) => {
    const turn = before
    const attempt = (async () => {
      if (index > 0) await turn
      const allocation = await Allocation.open(server, { credentials, ca, limitMs, signal: until })
      if (won) {
        allocation.close()
        throw over.signal.reason
      }
      won = allocation
      over.abort()
      return allocation
    })()
    const late = turn.then(() => sleep(nextServerMs, undefined, { signal: until })).catch(() => {})
    before = Promise.race([
      late,
      attempt.then(
        () => new Promise<never>(() => {}),
        () => {},
      ),
    ])
    return attempt
  })
  try {
    return await Promise.any(attempts)
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw error instanceof AggregateError ? error.errors[0] : error
  }
}
