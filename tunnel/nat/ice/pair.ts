import type { Endpoint } from '../../net/endpoint.ts'
import type { CandidateKind } from './candidate.ts'
import type { Route } from './route.ts'

/** A remote address with the socket that reaches it, and what became of the checks between the two. */
export interface Pair {
  readonly route: Route
  /** Of the remote address, or `relayed` where a TURN server of either side's lies between. */
  readonly kind: CandidateKind
  /** Our check was answered: the peer hears us and we hear the peer. */
  succeeded: boolean
  /** An authentic check came from here: the peer's side of the hole is open. */
  heard: boolean
  /** The controlling side chose this pair. */
  chosen: boolean
  /** The controlling side's nomination was answered. */
  agreed: boolean
  /** Where the peer sees us, by the last response to a check. */
  seenAs?: Endpoint
  nextAt: number
  /** Once a relay serves, it is checked now and then after this, and as often as any other until then. */
  vigorousUntil: number
  sent: number
  /** The shortest round trip of a check, Infinity before one was answered. Milliseconds. */
  rttMs: number
}

/** The pair that a session uses. */
export interface Nominated extends Route {
  /** Of the remote address, or `relayed` where a TURN server lies between. */
  readonly kind: CandidateKind
  /** Where the peer sees us. */
  readonly seenAs?: Endpoint
}

export function newPair(by: Pick<Pair, 'route' | 'kind' | 'nextAt' | 'vigorousUntil'>): Pair {
  return {
    ...by,
    succeeded: false,
    heard: false,
    chosen: false,
    agreed: false,
    sent: 0,
    rttMs: Number.POSITIVE_INFINITY,
  }
}
