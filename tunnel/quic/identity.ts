import { createHash, generateKeyPair, randomBytes, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { bitString, explicit, integer, oid, sequence, setOf, time, utf8 } from './der.ts'

/** The key and certificate that one end uses for one session, and the pin that the other end checks. */
export interface Identity {
  /** PEM, PKCS #8. */
  key: Uint8Array
  /** PEM. */
  certificate: Uint8Array
  /** SHA-256 of the certificate's DER, 64 hexadecimal digits: what goes into the offer or answer. */
  fingerprint: string
}

const hour = 3_600_000

/**
 * Makes a fresh ECDSA P-256 key and a self-signed certificate. It is valid from an hour ago for two
 * days: only the pin counts, and a clock that is somewhat off must not break the handshake.
 */
export async function createIdentity(): Promise<Identity> {
  const { publicKey, privateKey } = await newKeys('ec', { namedCurve: 'P-256' })
  const now = Date.now()
  // RFC 5280, section 4.1.
  const toSign = sequence(
    explicit(0, integer(v3)),
    integer(serialNumber()),
    ecdsaWithSha256,
    name,
    sequence(time(now - hour), time(now + 48 * hour)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = sign('sha256', toSign, privateKey)
  const certificate = sequence(toSign, ecdsaWithSha256, bitString(signature))
  return {
    key: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    certificate: Buffer.from(pem(certificate)),
    fingerprint: fingerprintOf(certificate),
  }
}

/** SHA-256 of a DER certificate, 64 hexadecimal digits. */
export const fingerprintOf = (der: Uint8Array): string => createHash('sha256').update(der).digest('hex')

// --- internal ---

const newKeys = promisify(generateKeyPair)

const v3 = Buffer.of(2)
/** RFC 5758, section 3.2. */
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))
const commonName = oid('2.5.4.3')
/** Who issued it and whom it is for. */
const name = sequence(setOf(sequence(commonName, utf8('lambda-nat-proxy'))))

/** Positive, and as short as it can be written: the first bits are 01. */
function serialNumber(): Buffer {
  const bytes = randomBytes(8)
  bytes[0] = (bytes[0]! & 0x3f) | 0x40
  return bytes
}

const pem = (certificate: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
