import { decodeTarget, encodeTarget, FrameError, type Target, targetLength } from './address.ts'

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
