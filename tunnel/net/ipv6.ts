import { isIPv6 } from 'node:net'

/**
 * The 16 bytes of an IPv6 address in any of its spellings (RFC 4291, section 2.2); a zone is left out. Throws a
 * RangeError for what is none.
 */
export function ipv6Bytes(address: string): Buffer {
  const plain = address.replace(/%.*$/, '')
  if (!isIPv6(plain)) throw new RangeError('not an IPv6 address')
  const [front = [], back = []] = plain.split('::').map(groupsOf)
  const zeros = new Array<number>(8 - front.length - back.length).fill(0)
  return Buffer.from([...front, ...zeros, ...back].flatMap(group => [group >> 8, group & 255]))
}

/** The canonical text of 16 bytes (RFC 5952). */
export function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[i * 2]! * 256 + bytes[i * 2 + 1]!).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

// --- internal ---

/** The groups of a part without `::`, an IPv4 address at its end among them. */
function groupsOf(part: string): number[] {
  if (part === '') return []
  return part.split(':').flatMap(group => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}
