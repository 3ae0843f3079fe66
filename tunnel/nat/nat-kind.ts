import { type Behaviour, isHard } from './stun/mapping.ts'

/** The kinds of NATs as people know them (RFC 3489, section 5), in terms of what RFC 4787 has NATs do. */
export type NatKind =
  | 'none'
  | 'firewall'
  | 'full-cone'
  | 'address-restricted'
  | 'port-restricted'
  | 'cone'
  | 'symmetric'
  | 'unknown'

export interface NatFacts {
  /** The address and port that the world sees are the machine's own. */
  isOwn: boolean
  mapping: Behaviour
  filtering: Behaviour
}

export function natKind({ isOwn, mapping, filtering }: NatFacts): NatKind {
  if (isHard(mapping)) return 'symmetric'
  if (isOwn) return filtering === 'endpoint-independent' || filtering === 'unknown' ? 'none' : 'firewall'
  if (mapping === 'unknown') return 'unknown'
  return cones[filtering]
}

// --- internal ---

const cones = {
  'endpoint-independent': 'full-cone',
  'address-dependent': 'address-restricted',
  'address-and-port-dependent': 'port-restricted',
  unknown: 'cone',
} as const
