import { setTimeout as sleep } from 'node:timers/promises'
import type { ErrorData } from '../net/coded-error.ts'
import type { UdpSocket } from '../net/udp/socket.ts'
import type { Location } from './locate.ts'
import { isHard } from './stun/mapping.ts'
import type { Allocation } from './turn/allocation.ts'
import { type Lending, type RelaySource, startLending } from './turn/source.ts'

/** Where the world sees a socket, and what a TURN server lends besides. */
export type RelayedLocation<L extends Location> = L & { relay?: Allocation | undefined }

export interface WithRelayOptions<L extends Location> {
  source: RelaySource | undefined
  /** Asks STUN servers. */
  locate: (signal: AbortSignal | undefined) => Promise<L>
  /** A location of which nothing is known but the relay's address. */
  relayed: (location: Location) => L
  /** With a relay at hand STUN servers that are silent for so long are given up; 1,500 milliseconds by default. */
  stunWaitMs?: number | undefined
  signal?: AbortSignal | undefined
  /** No address was lent, and why: the session goes on without. */
  onFailed?: ((error: ErrorData) => void) | undefined
}

/**
 * A relay that takes longer than STUN is waited for so long: TLS to a server far away takes most of a second, which only
 * a session waits for that is likely to need it. Milliseconds.
 */
const relayWaitMs = { asUsual: 300, likelyNeeded: 2_000 }

/**
 * Asks STUN servers where a socket is seen and, beside them, a TURN server for an address. The one does not wait for
 * the other for long: without STUN the relay serves alone. Throws what `locate` throws where neither answers, the
 * TurnError where nothing but a relay will do, or the signal's reason.
 */
export async function locateWithRelay<L extends Location>(
  socket: Pick<UdpSocket, 'local'>,
  { source, locate, relayed, stunWaitMs = 1_500, signal, onFailed }: WithRelayOptions<L>,
): Promise<RelayedLocation<L>> {
  if (!source) return locate(signal)
  if (source.only) return byRelay(socket, await source.lend(signal), relayed)

  const lending = startLending(source, signal, onFailed)
  const silence = new AbortController()
  const until = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal
  const stunUntil = performance.now() + stunWaitMs
  const over = new AbortController()
  try {
    const locating = locate(until)
    const relay = await Promise.race([
      locating.then(() => undefined),
      relayInSilence(lending, stunUntil, over.signal),
    ])
    if (relay) {
      silence.abort()
      locating.catch(() => {})
      return byRelay(socket, relay, relayed)
    }
    const location = await locating
    return withRelay(location, await lending.within(waitFor(source, location)))
  } catch (error) {
    const relay = signal?.aborted ? undefined : await lending.settled
    if (relay) return byRelay(socket, relay, relayed)
    lending.cancel()
    throw error
  } finally {
    over.abort()
  }
}

/** The same location, with the relay's address as its last candidate. */
export function withRelay<L extends Location>(
  location: L,
  relay: Allocation | undefined,
): RelayedLocation<L> {
  if (!relay) return location
  return {
    ...location,
    candidates: [...location.candidates, { ...relay.local, kind: 'relayed' as const }],
    relay,
  }
}

// --- internal ---

/** After one that did not work the next is not waited for at all. */
function waitFor({ isTrusted, isNeeded }: RelaySource, { mapping }: Location): number {
  if (!isTrusted) return 0
  return isHard(mapping) || isNeeded ? relayWaitMs.likelyNeeded : relayWaitMs.asUsual
}

/** Resolves when there is a relay and STUN has had its time; never without one, nor where STUN has no limit. */
function relayInSilence(lending: Lending, stunUntil: number, over: AbortSignal): Promise<Allocation> {
  return new Promise(resolve => {
    if (stunUntil === Number.POSITIVE_INFINITY) return
    void lending.settled.then(async relay => {
      if (!relay) return
      const left = Math.max(0, stunUntil - performance.now())
      await sleep(left, undefined, { signal: over }).then(
        () => resolve(relay),
        () => {},
      )
    })
  })
}

function byRelay<L extends Location>(
  { local }: Pick<UdpSocket, 'local'>,
  relay: Allocation,
  relayed: (location: Location) => L,
): RelayedLocation<L> {
  const nothing = { local, mapped: relay.local, mapping: 'unknown' as const, candidates: [], views: [] }
  return withRelay(relayed(nothing), relay)
}
