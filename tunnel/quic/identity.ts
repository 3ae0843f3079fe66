import { createHash, generateKeyPair, randomBytes, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { AsnConvert } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  Certificate,
  Name,
  RelativeDistinguishedName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509'

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
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: ecdsaWithSha256,
    issuer: name,
    validity: new Validity({ notBefore: new Date(now - hour), notAfter: new Date(now + 48 * hour) }),
    subject: name,
    subjectPublicKeyInfo: AsnConvert.parse(
      publicKey.export({ type: 'spki', format: 'der' }),
      SubjectPublicKeyInfo,
    ),
  })
  const signature = sign('sha256', new Uint8Array(AsnConvert.serialize(tbsCertificate)), privateKey)
  const certificate = Buffer.from(
    AsnConvert.serialize(
      new Certificate({
        tbsCertificate,
        signatureAlgorithm: ecdsaWithSha256,
        signatureValue: Uint8Array.from(signature).buffer,
      }),
    ),
  )
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

// The parts of X.509 alone (RFC 5280, section 4.1): a library that knows all of it costs the function four times
// as much of its start.

/** RFC 5758, section 3.2. */
const ecdsaWithSha256 = new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' })
const commonName = '2.5.4.3'
/** Who issued it and whom it is for. */
const name = new Name([
  new RelativeDistinguishedName([
    new AttributeTypeAndValue({
      type: commonName,
      value: new AttributeValue({ utf8String: 'lambda-nat-proxy' }),
    }),
  ]),
])

/** Positive, and as short as it can be written: the first bits are 01. */
function serialNumber(): ArrayBuffer {
  const bytes = Uint8Array.from(randomBytes(8))
  bytes[0] = (bytes[0]! & 0x3f) | 0x40
  return bytes.buffer
}

const pem = (certificate: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
