import { isIPv6 } from 'node:net'
import { BoundedMap } from '../bounded-map.ts'
import type { Endpoint } from '../endpoint.ts'
import { ipv6Bytes, ipv6Text } from '../ipv6.ts'

/** Whom a UDP association has sent to: only they may answer. */
export interface Peers {
  add(peer: Endpoint): void
  has(peer: Endpoint): boolean
}

/** More than that are forgotten, those not sent to for longest first. */
const maxPeers = 1_024

export function createPeers(): Peers {
  const peers = new BoundedMap<string, true>(maxPeers)
  return {
    add: peer => void peers.set(keyOf(peer), true),
    has: peer => peers.has(keyOf(peer)),
  }
}

// --- internal ---

/** The same for all spellings of an address: a client's may not be the system's. */
const keyOf = ({ address, port }: Endpoint) =>
  `${isIPv6(address) ? ipv6Text(ipv6Bytes(address)) : address} ${port}`
