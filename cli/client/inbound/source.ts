import { isIPv6 } from 'node:net'
import { ipv6Bytes, ipv6Text } from '../../../tunnel/net/ipv6.ts'
import { isLoopback } from '../../input/loopback.ts'

/** Where a client is, as far as limits go. */
export interface Source {
  /** This machine, by a loopback address or one of its others. */
  readonly here: boolean
  /** One name for all that one machine may call itself: an IPv4 address, or the /64 of an IPv6 one. */
  readonly name: string
}

/** The name of the one source that is this machine. */
export const thisMachine = 'this machine'

/** Who connects to a listener on a loopback address cannot be anybody else. */
export const here: Source = { here: true, name: thisMachine }

/** The source of a connection between these two addresses; the second is seldom asked for. */
export function sourceOf(peer: string, local: () => string): Source {
  const address = plainAddress(peer)
  // Who connects from the address that is connected to is this machine.
  if (isLoopback(address) || address === plainAddress(local())) return here
  if (!isIPv6(address)) return { here: false, name: address }
  // A network gives its hosts a /64, in which each takes as many addresses as it likes (RFC 8981).
  const network = ipv6Bytes(address).fill(0, 8)
  return { here: false, name: `${ipv6Text(network)}/64` }
}

/** The same for all spellings of an address; an IPv4 one inside IPv6 (RFC 4291, section 2.5.5.2) is IPv4. */
export function plainAddress(address: string): string {
  if (!isIPv6(address)) return address
  const bytes = ipv6Bytes(address)
  const isMapped = bytes.subarray(0, 10).every(byte => byte === 0) && bytes.readUInt16BE(10) === 0xffff
  return isMapped ? bytes.subarray(12).join('.') : ipv6Text(bytes)
}
