/** The 16 bytes of an IPv6 address in any of its spellings (RFC 4291, section 2.2); a zone is left out. */
export function ipv6Bytes(address: string): Buffer {
  const [head = '', tail] = canonical(address).split('::')
  const groups = (text: string | undefined) =>
    text ? text.split(':').map(group => Number.parseInt(group, 16)) : []
  const front = groups(head)
  const back = groups(tail)
  const zeros = new Array<number>(8 - front.length - back.length).fill(0)
  return Buffer.from([...front, ...zeros, ...back].flatMap(group => [group >> 8, group & 255]))
}

/** The canonical text of 16 bytes (RFC 5952). */
export function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[i * 2]! * 256 + bytes[i * 2 + 1]!).toString(16))
  return canonical(groups.join(':'))
}

// --- internal ---

/** The platform's own reading of an address, which has no dotted part any more. */
const canonical = (address: string): string =>
  new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1)
