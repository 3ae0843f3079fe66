import 'reflect-metadata'
import { KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** A certificate that signs itself, for these names and addresses, and its key; PEM. */
export interface Certificate {
  key: string
  cert: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const hour = 3_600_000

export async function selfSigned(...names: string[]): Promise<Certificate> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const now = Date.now()
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${names[0]}`,
      notBefore: new Date(now - hour),
      notAfter: new Date(now + 24 * hour),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        // It is its own authority, and some clients want that said.
        new BasicConstraintsExtension(true, 0, true),
        new SubjectAlternativeNameExtension(
          names.map(value => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
        ),
      ],
    },
    crypto,
  )
  return {
    key: String(KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' })),
    cert: `${certificate.toString('pem')}\n`,
  }
}
