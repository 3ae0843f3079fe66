import { createHmac, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'

const headerLength = 20
const integrityLength = 24
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

  const covered = Buffer.from(message.subarray(0, integrityAt))
  // The length counts as if MESSAGE-INTEGRITY were the last attribute.
  covered.writeUInt16BE(fingerprintAt - headerLength, 2)
  const mac = createHmac('sha1', password).update(covered).digest()
  return timingSafeEqual(mac, message.subarray(integrityAt + 4, fingerprintAt))
}
