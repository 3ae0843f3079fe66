import 'reflect-metadata'
import { createHash, randomInt } from 'node:crypto'
import { X509CertificateGenerator } from '@peculiar/x509'

/** The key and certificate that one end uses for one session, and the pin that the other end checks. */
export interface Identity {
  /** PEM, PKCS #8. */
  key: Uint8Array
  /** PEM. */
  certificate: Uint8Array
  /** SHA-256 of the certificate's DER, 64 hexadecimal digits: what goes into the offer or answer. */
  fingerprint: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const hour = 3_600_000

/**
 * Makes a fresh ECDSA P-256 key and a self-signed certificate. It is valid from an hour ago for two
 * days: only the pin counts, and a clock that is somewhat off must not break the handshake.
 */
export async function createIdentity(): Promise<Identity> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const now = Date.now()
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: randomInt(1, 2 ** 47).toString(16),
      name: 'CN=lambda-nat-proxy',
      notBefore: new Date(now - hour),
      notAfter: new Date(now + 48 * hour),
      signingAlgorithm: algorithm,
      keys,
    },
    crypto,
  )
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    key: Buffer.from(
      `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`,
    ),
    certificate: Buffer.from(`${certificate.toString('pem')}\n`),
    fingerprint: fingerprintOf(new Uint8Array(certificate.rawData)),
  }
}

/** SHA-256 of a DER certificate, 64 hexadecimal digits. */
export const fingerprintOf = (der: Uint8Array): string => createHash('sha256').update(der).digest('hex')
