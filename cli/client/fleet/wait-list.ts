import type { Cancellation } from '../../../tunnel/net/cancellation.ts'
import { NoExitError } from './exits.ts'

/** Connections that wait for an exit, first come, first served. */
export interface WaitList {
  /**
   * Gives what `take` finds, now or when it is tried again. Rejects with a NoExitError at the limit (milliseconds) or
   * when the list is closed, and with the signal's reason when whoever waits is gone.
   */
  wait<T>(take: () => T | undefined, limitMs: number, signal?: Cancellation): Promise<T>
  /** Something has changed: all that wait try again. */
  retry(): void
  /** Ends all waits that there are with this error. */
  refuse(error: NoExitError): void
  /** Ends all waits, now and from now on. */
  close(): void
  readonly size: number
}

export function createWaitList(): WaitList {
  const waiting = new Map<() => void, (error: NoExitError) => void>()
  let closed = false
  const closedError = () => new NoExitError('E_PROXY_CLOSED', 'the proxy is shutting down')

  const later = <T>(take: () => T | undefined, limitMs: number, signal?: Cancellation): Promise<T> =>
    new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(limit)
        waiting.delete(retry)
        signal?.removeEventListener('abort', gone)
      }
      const retry = () => {
        const found = closed ? undefined : take()
        if (!closed && found === undefined) return
        leave()
        if (found === undefined) reject(closedError())
        else resolve(found)
      }
      const gone = () => {
        leave()
        reject(signal?.reason)
      }
      const limit = setTimeout(() => {
        leave()
        reject(new NoExitError('E_EXIT_TIMEOUT', `no exit came up within ${limitMs / 1000} s`))
      }, limitMs)
      waiting.set(retry, error => {
        leave()
        reject(error)
      })
      signal?.addEventListener('abort', gone)
    })

  return {
    wait(take, limitMs, signal) {
      if (signal?.aborted) return Promise.reject(signal.reason)
      if (closed) return Promise.reject(closedError())
      const found = take()
      return found === undefined ? later(take, limitMs, signal) : Promise.resolve(found)
    },
    retry() {
      for (const retry of [...waiting.keys()]) retry()
    },
    refuse(error) {
      for (const refuse of [...waiting.values()]) refuse(error)
    },
    close() {
      closed = true
      for (const retry of [...waiting.keys()]) retry()
    },
    get size() {
      return waiting.size
    },
  }
}
