import { BlockList, isIPv4 } from 'node:net'
import { ipv6Bytes } from '../tunnel/net/ipv6.ts'

/**
 * Targets that a proxy's user has no business with on the exit's side: the Lambda runtime API, the
 * instance metadata, whatever network the function is attached to (RFC 6890 and its registries).
 */
const forbidden4 = [
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
const forbidden6 = [
  '::/128',
  '::1/128',
  // NAT64 for local use (RFC 8215): only its network knows where in such an address the IPv4 one is.
  '64:ff9b:1::/48',
  '100::/64',
  '2001:db8::/32',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]

/** Prefixes whose last bits (or bits 16 to 48) are an IPv4 address: mapped, compatible, NAT64, 6to4. */
const embeddedAtEnd = ['::ffff:0:0/96', '::/96', '64:ff9b::/96', '::ffff:0:0:0/96']
const sixToFour = ['2002::/16']

/** True when the exit may connect to this address (an IP address, as resolved). */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !list4.check(address, 'ipv4')
  const plain = address.replace(/%.*$/, '')
  if (list6.check(plain, 'ipv6')) return false
  const inner = embedded4(plain)
  return inner === undefined || !list4.check(inner, 'ipv4')
}

// --- internal ---

const blockList = (family: 'ipv4' | 'ipv6', ranges: string[]): BlockList => {
  const list = new BlockList()
  for (const range of ranges) {
    const [network, prefix] = range.split('/') as [string, string]
    list.addSubnet(network, Number(prefix), family)
  }
  return list
}
const list4 = blockList('ipv4', forbidden4)
const list6 = blockList('ipv6', forbidden6)
const endList = blockList('ipv6', embeddedAtEnd)
const sixToFourList = blockList('ipv6', sixToFour)

/** The IPv4 address inside an IPv6 address of one of the prefixes that carry one. */
function embedded4(address: string): string | undefined {
  if (endList.check(address, 'ipv6')) return ipv6Bytes(address).subarray(12).join('.')
  if (sixToFourList.check(address, 'ipv6')) return ipv6Bytes(address).subarray(2, 6).join('.')
  return undefined
}
