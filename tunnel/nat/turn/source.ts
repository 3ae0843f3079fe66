import { type ErrorData, errorData } from '../../net/coded-error.ts'
import { within } from '../../net/within.ts'
import { allocate, type TurnSettings } from './allocate.ts'
import type { Allocation } from './allocation.ts'

/** How a session's packets may go: by a relay when nothing direct is found, never by one, or by nothing else. */
export const pathModes = ['auto', 'direct', 'relay'] as const
export type PathMode = (typeof pathModes)[number]

/** What lends sessions an address. */
export interface RelaySource {
  /** Packets go by a relay alone. */
  readonly only: boolean
  /** The last request was granted, or there was none: the next is worth a short wait. */
  readonly isTrusted: boolean
  /** A session found no path without a relay: those after it wait longer for one. */
  isNeeded: boolean
  /** Rejects with a TurnError, or the signal's reason. */
  lend(signal?: AbortSignal): Promise<Allocation>
}

export function relaySource(settings: TurnSettings, only = false): RelaySource {
  let isTrusted = true
  return {
    only,
    isNeeded: false,
    get isTrusted() {
      return isTrusted
    },
    async lend(signal) {
      try {
        const allocation = await allocate(settings, { signal })
        isTrusted = true
        return allocation
      } catch (error) {
        if (!signal?.aborted) isTrusted = false
        throw error
      }
    },
  }
}

/** An address that is being asked for. */
export interface Lending {
  /** Resolves with it, or with undefined when there is none. */
  readonly settled: Promise<Allocation | undefined>
  /** Resolves with it, or with undefined when there is none yet in this time; what comes later is given back. */
  within(ms: number): Promise<Allocation | undefined>
  /** Gives back what there is or will be. */
  cancel(): void
}

/** Asks for an address beside other work. A failure is told, and nothing waits for it. */
export function startLending(
  source: RelaySource,
  signal: AbortSignal | undefined,
  onFailed: (error: ErrorData) => void = () => {},
): Lending {
  let cancelled = false
  const settled = source.lend(signal).then(
    allocation => {
      if (!cancelled) return allocation
      allocation.close()
      return undefined
    },
    (error: unknown) => {
      if (!cancelled && !signal?.aborted) onFailed(errorData(error))
      return undefined
    },
  )
  const cancel = () => {
    cancelled = true
    void settled.then(allocation => allocation?.close())
  }
  return {
    settled,
    cancel,
    async within(ms) {
      const allocation = await within(settled, ms)
      if (!allocation) cancel()
      return allocation
    },
  }
}
