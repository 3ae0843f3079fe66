import { CodedError } from '../../net/coded-error.ts'
import { type Endpoint, sameEndpoint } from '../../net/endpoint.ts'
import { isPublicAddress, isUnicast4 } from '../../net/public-address.ts'
import { type Candidate, isRelayed } from './candidate.ts'

/** Which addresses of a peer's may be sent to. */
export interface Admission {
  /** This end's own address, as STUN saw it: on a network without public addresses the peer has none either. */
  mapped: Endpoint
  /** Private addresses are fine whatever this end's own is. False by default. */
  allowPrivate?: boolean | undefined
}

/** None of a peer's candidates may be sent to. */
export class CandidateError extends CodedError<'E_PEER_CANDIDATES'> {
  override name = 'CandidateError'
}

/** Addresses of one peer that are sent to: its own, and one more where it has two outside; a relay's counts apart. */
export const maxAddresses = 2
const maxRelayAddresses = 1
/** Candidates of one peer that are sent to. */
export const maxCandidates = 8

/** True for an address that may be a peer's: public unicast, or private where this end's own is not public. */
export function admits({ mapped, allowPrivate }: Admission, address: string): boolean {
  if (isPublicAddress(address)) return true
  return isUnicast4(address) && (allowPrivate === true || !isPublicAddress(mapped.address))
}

/**
 * The candidates that checks are sent to: the first eight that may be a peer's, of the first two addresses among
 * them, and the first relay. A peer can make this end send to whatever it names, so the rest is left out. Throws a CandidateError when
 * none is left.
 */
export function admitCandidates(candidates: readonly Candidate[], admission: Admission): Candidate[] {
  const direct = { addresses: new Set<string>(), most: maxAddresses }
  const relays = { addresses: new Set<string>(), most: maxRelayAddresses }
  const admitted: Candidate[] = []
  for (const { address, port, kind } of candidates) {
    if (admitted.length === maxCandidates) break
    if (!admits(admission, address)) continue
    const { addresses, most } = isRelayed({ kind }) ? relays : direct
    if (!addresses.has(address) && addresses.size === most) continue
    const candidate = { address, port, ...(kind && { kind }) }
    if (admitted.some(known => sameEndpoint(known, candidate))) continue
    addresses.add(address)
    admitted.push(candidate)
  }
  if (admitted.length > 0) return admitted
  throw new CandidateError(
    'E_PEER_CANDIDATES',
    'none of the candidates of the other side is a public address that checks may be sent to',
    { hint: 'Its STUN servers must be on the public internet: they decide which address it names.' },
  )
}
