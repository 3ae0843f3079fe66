import { createHash, generateKeyPair, randomBytes, sign } from 'node:crypto'
import { promisify } from 'node:util'

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
  // RFC 5280, section 4.1, written out: a library for it costs the function 50 ms of its start, and 7 MB.
  const body = der(
    tag.sequence,
    der(tag.version, der(tag.integer, Buffer.of(2))),
    der(tag.integer, serialNumber()),
    ecdsaWithSha256,
    name,
    der(tag.sequence, utcTime(now - hour), utcTime(now + 48 * hour)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = sign('sha256', body, privateKey)
  const certificate = der(tag.sequence, body, ecdsaWithSha256, der(tag.bitString, Buffer.of(0), signature))
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

const tag = {
  integer: 0x02,
  bitString: 0x03,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
} as const

/** An element of DER: tag, shortest length, content (X.690, sections 8.1 and 10.1). */
function der(tag: number, ...content: Uint8Array[]): Buffer {
  const length = content.reduce((sum, { length }) => sum + length, 0)
  const long = length < 0x80 ? [] : length < 0x100 ? [0x81] : [0x82, length >> 8]
  return Buffer.concat([Buffer.of(tag, ...long, length & 0xff), ...content])
}

/** 1.2.840.10045.4.3.2 (RFC 5758, section 3.2). */
const ecdsaWithSha256 = der(
  tag.sequence,
  der(tag.objectIdentifier, Buffer.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2)),
)

/** CN=lambda-nat-proxy: who issued it and whom it is for. 2.5.4.3 is commonName. */
const commonName = der(
  tag.sequence,
  der(tag.objectIdentifier, Buffer.of(0x55, 4, 3)),
  der(tag.utf8String, Buffer.from('lambda-nat-proxy')),
)
const name = der(tag.sequence, der(tag.set, commonName))

/** Positive, and as short as it can be written: the first bits are 01. */
function serialNumber(): Buffer {
  const bytes = randomBytes(8)
  bytes[0] = (bytes[0]! & 0x3f) | 0x40
  return bytes
}

/** Two digits for the year: good until 2049 (RFC 5280, section 4.1.2.5.1). */
const utcTime = (ms: number): Buffer =>
  der(tag.utcTime, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`))

const pem = (certificate: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
