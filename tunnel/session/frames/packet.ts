import { decodeTarget, encodeTarget, FrameError, type Target, targetLength } from './address.ts'
import { type RefusalReason, refusalReasons } from './reply.ts'

/** A UDP packet with the address that it goes to, or comes from. */
export interface Packet {
  target: Target
  data: Uint8Array
}

/** ATYP, ADDR, PORT and the data: a SOCKS5 UDP request without its first three bytes (RFC 1928, section 7). */
export const encodePacket = ({ target, data }: Packet): Buffer => Buffer.concat([encodeTarget(target), data])

/** Reads a packet; the data is a view of the bytes. Throws a FrameError when they are none. */
export function decodePacket(bytes: Uint8Array): Packet {
  let length = targetLength(bytes)
  // A name says its length in its second byte.
  length = targetLength(bytes.subarray(0, length))
  if (bytes.length < length) throw new FrameError(`a packet of ${bytes.length} bytes is cut off`)
  return { target: decodeTarget(bytes.subarray(0, length)), data: bytes.subarray(length) }
}

/** Packets to this target are refused, and why. */
export interface RefusedTarget {
  target: Target
  reason: RefusalReason
}

/** In the place of ATYP: this is no packet. An end that does not know it takes it for a malformed packet. */
const refusedMark = 0

/** The mark, the reason as in a reply, then ATYP, ADDR and PORT of the target. */
export const encodeRefusedTarget = ({ target, reason }: RefusedTarget): Buffer =>
  Buffer.concat([Buffer.of(refusedMark, refusalReasons.indexOf(reason) + 1), encodeTarget(target)])

/** Undefined when it is a packet, or a reason that is not known yet. Throws a FrameError when it is neither. */
export function decodeRefusedTarget(bytes: Uint8Array): RefusedTarget | undefined {
  if (bytes[0] !== refusedMark) return undefined
  const reason = refusalReasons[bytes[1]! - 1]
  return reason && { reason, target: decodeTarget(bytes.subarray(2)) }
}
