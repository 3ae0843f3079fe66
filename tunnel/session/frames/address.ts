import { isIPv4, isIPv6 } from 'node:net'
import { CodedError } from '../../net/coded-error.ts'
import { ipv6Bytes, ipv6Text } from '../../net/ipv6.ts'

/** Address types (RFC 1928, section 5). */
const addressType = { ipv4: 1, name: 3, ipv6: 4 } as const

/** Where a connection is to go: an IPv4 or IPv6 address, or a name that the exit resolves. */
export interface Target {
  host: string
  /** 0 to 65535. */
  port: number
}

/** Bytes that do not make a frame. */
export class FrameError extends CodedError<'E_FRAME_MALFORMED'> {
  override name = 'FrameError'

  constructor(message: string) {
    super('E_FRAME_MALFORMED', message)
  }
}

/** ATYP, ADDR and PORT (RFC 1928, section 4) behind these bytes. Throws a FrameError for a name of 0 or over 255 bytes. */
export function encodeTarget({ host, port }: Target, head: readonly number[] = []): Uint8Array {
  if (isIPv4(host)) return join(head, addressType.ipv4, ipv4Bytes(host), port)
  if (isIPv6(host)) return join(head, addressType.ipv6, ipv6Bytes(host), port)
  const name = Buffer.from(host)
  if (name.length === 0 || name.length > 255)
    throw new FrameError(`a name has 1 to 255 bytes, this one ${name.length}`)
  return join([...head, addressType.name], name.length, name, port)
}

/**
 * How long the encoding is that begins with these bytes, as far as they tell: the full length once ATYP
 * (and, for a name, its length byte) is there, and before that what is needed to say more.
 */
export function targetLength(bytes: Uint8Array): number {
  switch (bytes[0]) {
    case undefined:
      return 1
    case addressType.ipv4:
      return 1 + 4 + 2
    case addressType.ipv6:
      return 1 + 16 + 2
    case addressType.name:
      return bytes[1] === undefined ? 2 : 2 + bytes[1] + 2
    default:
      throw new FrameError(`address type ${bytes[0]} is not known`)
  }
}

/** Reads a complete encoding. Throws a FrameError when it is none. */
export function decodeTarget(bytes: Uint8Array): Target {
  if (bytes.length !== targetLength(bytes))
    throw new FrameError(`an address of ${bytes.length} bytes is not complete`)
  const port = bytes[bytes.length - 2]! * 256 + bytes[bytes.length - 1]!
  if (bytes[0] === addressType.ipv4) return { host: `${bytes[1]}.${bytes[2]}.${bytes[3]}.${bytes[4]}`, port }
  if (bytes[0] === addressType.ipv6) return { host: ipv6Text(bytes.subarray(1, 17)), port }
  const host = Buffer.from(bytes.subarray(2, -2)).toString()
  // Control characters and spaces are in no name, and would forge lines in a log.
  if (!/^[^\s\p{Cc}]+$/u.test(host))
    throw new FrameError('the name is empty or has characters that no name has')
  return { host, port }
}

// --- internal ---

/** One buffer: the bytes of `head`, one more, an address, a port. */
function join(head: readonly number[], last: number, address: ArrayLike<number>, port: number): Uint8Array {
  const start = head.length + 1
  const bytes = new Uint8Array(start + address.length + 2)
  bytes.set(head)
  bytes[start - 1] = last
  bytes.set(address, start)
  bytes[bytes.length - 2] = port >> 8
  bytes[bytes.length - 1] = port & 255
  return bytes
}

const ipv4Bytes = (host: string): number[] => host.split('.').map(Number)
