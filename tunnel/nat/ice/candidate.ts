import type { Endpoint } from '../../net/endpoint.ts'

/**
 * How an address was come by (RFC 8445, section 5.1.1): the socket's own, as a STUN server saw it, as a check showed
 * it, as a router was asked to map it, or one that a TURN server lends.
 */
export const candidateKinds = ['host', 'server-reflexive', 'peer-reflexive', 'mapped', 'relayed'] as const
export type CandidateKind = (typeof candidateKinds)[number]

/** An address at which an end may be reached. One of no kind is an address like any other. */
export interface Candidate extends Endpoint {
  readonly kind?: CandidateKind | undefined
}

/** Type preferences (RFC 8445, section 5.1.2.2): a relay is the last resort. */
const preferences: Record<CandidateKind, number> = {
  host: 126,
  mapped: 115,
  'peer-reflexive': 110,
  'server-reflexive': 100,
  relayed: 0,
}

/** A candidate's priority, with local preference and component at their highest (RFC 8445, section 5.1.2.1). */
export const priorityOf = (kind: CandidateKind): number => preferences[kind] * 2 ** 24 + 65_535 * 2 ** 8 + 255

export const isRelayed = ({ kind }: { kind?: CandidateKind | undefined }): boolean => kind === 'relayed'
