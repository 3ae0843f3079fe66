import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { ipv6Bytes } from './ipv6.ts'

// What is public is what IANA's registries leave: nothing is by default. A newly registered block of IPv6 unicast
// space belongs into the list below.

/**
 * IPv4 that is not globally reachable unicast: IANA's IPv4 special-purpose address registry, and multicast. Its anycast
 * addresses for port control and TURN (192.0.0.9 and .10) serve the network they are asked in, and are left out too.
 */
const special4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]

/** All the unicast space that IANA gives out (RFC 4291, section 2.4). */
const global6 = ['2000::/3']
/** What of it the IPv6 special-purpose address registry sets apart. */
const special6 = [
  // IETF protocol assignments: Teredo (2001::/32), benchmarking (2001:2::/48), ORCHID, and others of the kind.
  '2001::/23',
  '2001:db8::/32',
  // 6to4, which nobody routes any more: whatever takes it unwraps the IPv4 address inside.
  '2002::/16',
  '3fff::/20',
]

/** Prefixes with an IPv4 address behind them that is what is reached: IPv4-mapped, and NAT64 (RFC 6052). */
const embedding6 = ['::ffff:0:0/96', '64:ff9b::/96']

/** Interface identifiers of ISATAP, with an IPv4 address behind (RFC 5214, section 6.1). */
const isatap = [0x00005efe, 0x02005efe]

/** True for an IP address that is public unicast by IANA's registries; false for all else, names and zones included. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !list4.check(address, 'ipv4')
  if (!isIPv6(address) || address.includes('%')) return false
  const bytes = ipv6Bytes(address)
  if (embedding.check(address, 'ipv6')) return isPublicAddress(bytes.subarray(12).join('.'))
  return (
    globalList.check(address, 'ipv6') &&
    !list6.check(address, 'ipv6') &&
    !isatap.includes(bytes.readUInt32BE(8))
  )
}

/** True for an IPv4 address that one host has: neither multicast, broadcast, reserved, unspecified, nor link-local. */
export const isUnicast4 = (address: string): boolean => isIPv4(address) && !notUnicast.check(address, 'ipv4')

// --- internal ---

const blockList = (family: 'ipv4' | 'ipv6', ranges: readonly string[]): BlockList => {
  const list = new BlockList()
  for (const range of ranges) {
    const [network, prefix] = range.split('/') as [string, string]
    list.addSubnet(network, Number(prefix), family)
  }
  return list
}
const list4 = blockList('ipv4', special4)
const globalList = blockList('ipv6', global6)
const list6 = blockList('ipv6', special6)
const embedding = blockList('ipv6', embedding6)
const notUnicast = blockList('ipv4', ['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4'])
