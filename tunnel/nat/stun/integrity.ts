import { createHmac, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'

const headerLength = 20
/** Of MESSAGE-INTEGRITY, its type and length among them. Bytes. */
export const integrityLength = 24
const fingerprintLength = 8
/** Type and length of the two attributes (RFC 8489, sections 14.5 and 14.7). */
const integrityHeader = 0x00080014
const fingerprintHeader = 0x80280004
const fingerprintMask = 0x5354554e

/**
 * True when a STUN message ends in MESSAGE-INTEGRITY, made with this short-term password, and FINGERPRINT,
 * and both are right. What counts are the bytes that came, padding included: not what another encoder would
 * make of them. Anything behind MESSAGE-INTEGRITY but FINGERPRINT would be unprotected, and is refused.
 */
export function isAuthentic(message: Buffer, password: string): boolean {
  const fingerprintAt = message.length - fingerprintLength
  const integrityAt = fingerprintAt - integrityLength
  if (integrityAt < headerLength) return false
  if (message.readUInt32BE(integrityAt) !== integrityHeader) return false
  if (message.readUInt32BE(fingerprintAt) !== fingerprintHeader) return false
  const fingerprint = (crc32(message.subarray(0, fingerprintAt)) ^ fingerprintMask) >>> 0
  if (message.readUInt32BE(fingerprintAt + 4) !== fingerprint) return false

  return isSignedAt(message, integrityAt, password)
}

/** True when the MESSAGE-INTEGRITY that begins there, and is there whole, was made with this key. */
export const isSignedAt = (message: Buffer, at: number, key: string | Buffer): boolean =>
  timingSafeEqual(macOf(message.subarray(0, at), key), message.subarray(at + 4, at + integrityLength))

/** What MESSAGE-INTEGRITY holds behind what comes before it: the length counts as if it were the last attribute. */
export function macOf(before: Buffer, key: string | Buffer): Buffer {
  const covered = Buffer.from(before)
  covered.writeUInt16BE(before.length + integrityLength - headerLength, 2)
  return createHmac('sha1', key).update(covered).digest()
}
