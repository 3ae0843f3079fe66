import { type ErrorData, errorData } from '../../tunnel/net/coded-error.ts'
import type { Starter } from '../../tunnel/signalling/offer-record.ts'
import { startOwnSession } from '../client/fleet/own-session.ts'
import type { Signalling } from './signalling.ts'

/** The outcome of a test session. */
export interface Probe {
  region: string
  /** Where the exit is, what started its function, and how long it took in milliseconds. */
  up?: { address: string; startedBy: Starter | undefined; setUpMs: number }
  failure?: ErrorData
}

export interface ProbeOptions {
  signal: AbortSignal
  /** A region's function has not answered yet; it is waited for this long at most. */
  onWaiting?: (region: string, limitMs: number) => void
}

/** Sets up a session in each region, at once, and ends it. Throws nothing but the signal's reason. */
export function probe(source: Omit<Signalling, 'close'>, options: ProbeOptions): Promise<Probe[]> {
  const { signal, onWaiting } = options
  const probeIn = async (region: string): Promise<Probe> => {
    try {
      const buckets = new Map([[region, source.buckets.get(region)!]])
      const { session, startedBy, setUpMs, end } = await startOwnSession({ ...source, buckets }, signal, {
        onWaiting,
      })
      await end()
      return { region, up: { address: session.hello.address, startedBy, setUpMs } }
    } catch (error) {
      signal.throwIfAborted()
      return { region, failure: errorData(error) }
    }
  }
  return Promise.all([...source.buckets.keys()].map(probeIn))
}
