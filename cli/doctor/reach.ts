import type { NatKind } from '../../tunnel/nat/nat-kind.ts'

/** The NATs that an exit may be behind, from the most to the least forthcoming. */
export const exitNats = ['full-cone', 'address-restricted', 'port-restricted', 'symmetric'] as const
export type ExitNat = (typeof exitNats)[number]

/**
 * How an exit is reached: by ordinary checks, by trying ports at random (docs/nat.md), by a TURN server alone, or not
 * at all.
 */
export type Reach = 'directly' | 'by trying ports' | 'by a relay' | 'not'

/** What the router does when it is asked for a port: opens it where the world sees this network, or elsewhere, or not. */
export type Ports = 'opened' | 'opened elsewhere' | 'refused' | 'silent'

/** What this network has, as far as that matters. */
export interface Network {
  kind: NatKind
  ports: Ports
  /** UDP passes. */
  udp: boolean
  /** A TURN server can be used. */
  relay: boolean
}

/** Which exits a network reaches, and how; undefined where what it does is not known. */
export function reachOf({ kind, ports, udp, relay }: Network): Record<ExitNat, Reach> | undefined {
  const otherwise = relay ? 'by a relay' : 'not'
  if (!udp) return all(otherwise)
  const openness = ports === 'opened' ? 'open' : opennessOf[kind]
  if (openness === 'unknown') return undefined
  const reach = all('directly')
  if (openness === 'filtering') reach.symmetric = 'by trying ports'
  if (openness === 'hard') {
    reach['port-restricted'] = 'by trying ports'
    reach.symmetric = otherwise
  }
  return reach
}

// --- internal ---

/** What lets an exit in whose packets come from another port than it named; a filter by port alone is in the way of it. */
const opennessOf: Record<NatKind, 'open' | 'filtering' | 'hard' | 'unknown'> = {
  none: 'open',
  'full-cone': 'open',
  'address-restricted': 'open',
  firewall: 'filtering',
  'port-restricted': 'filtering',
  cone: 'filtering',
  symmetric: 'hard',
  unknown: 'unknown',
}

const all = (reach: Reach): Record<ExitNat, Reach> => ({
  'full-cone': reach,
  'address-restricted': reach,
  'port-restricted': reach,
  symmetric: reach,
})
