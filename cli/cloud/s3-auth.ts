import { randomBytes, timingSafeEqual } from 'node:crypto'
import { Sha256 } from '@smithy/core/checksum'
import { SignatureV4 } from '@smithy/signature-v4'
import type { Context } from 's3rver'
import S3Error from 's3rver/lib/models/error.js'

/** The embedded cloud's AWS account. */
export const account = '123456789012'

/** A key pair of AWS's form. */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** A key pair that nobody else has. */
export const newCredentials = (): Credentials => ({
  accessKeyId: `LNP${randomBytes(9).toString('hex').toUpperCase()}`.slice(0, 20),
  secretAccessKey: randomBytes(30).toString('base64url'),
})

/** A signature is good for this long before and after its time, as at AWS. Milliseconds. */
const skewMs = 15 * 60_000

/**
 * Makes the check that a request is signed with this key pair (AWS Signature Version 4, in the Authorization header):
 * the SDK's own signer signs the request anew, and the signatures must be the same. Throws an S3Error otherwise.
 */
export function authenticator(credentials: Credentials): (ctx: Context) => Promise<void> {
  const signer = new SignatureV4({
    credentials,
    region: '',
    service: 's3',
    sha256: Sha256,
    // S3 signs the path as it is sent, and the content by the hash in a header.
    uriEscapePath: false,
    applyChecksum: false,
  })
  return async ({ headers, method, path, querystring }) => {
    // A web page can send a request to a loopback port, but not this header without being asked.
    const given = readAuthorization(headers.authorization)
    if (!given) throw new S3Error('AccessDenied', 'Access Denied')
    if (given.accessKeyId !== credentials.accessKeyId)
      throw new S3Error(
        'InvalidAccessKeyId',
        'The AWS Access Key Id you provided does not exist in our records.',
      )
    const signedAt = readDate(headers['x-amz-date'])
    if (signedAt === undefined) throw new S3Error('AccessDenied', 'A valid x-amz-date header is required')
    if (Math.abs(signedAt.getTime() - Date.now()) > skewMs)
      throw new S3Error(
        'RequestTimeTooSkewed',
        'The difference between the request time and the current time is too large.',
      )
    const signed = given.signedHeaders.map((name): [string, string] => [name, String(headers[name] ?? '')])
    const { headers: made } = await signer.sign(
      {
        protocol: 'http:',
        hostname: '',
        method,
        path,
        query: readQuery(querystring),
        headers: Object.fromEntries(signed),
      },
      { signingDate: signedAt, signingRegion: given.region, signableHeaders: new Set(given.signedHeaders) },
    )
    const expected = readAuthorization(made.authorization)
    if (!expected || !mandatory.every(name => given.signedHeaders.includes(name)) || !same(given, expected))
      throw new S3Error(
        'SignatureDoesNotMatch',
        'The request signature we calculated does not match the signature you provided.',
      )
  }
}

// --- internal ---

/** What a signature must cover to be worth anything. */
const mandatory = ['host', 'x-amz-content-sha256', 'x-amz-date']

interface Authorization {
  accessKeyId: string
  region: string
  signedHeaders: string[]
  signature: string
}

function readAuthorization(header: string | undefined): Authorization | undefined {
  const [, accessKeyId, region, names, signature] =
    /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/\d{8}\/([^/,]*)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/.exec(
      header ?? '',
    ) ?? []
  if (!accessKeyId || region === undefined || !names || !signature) return undefined
  return { accessKeyId, region, signedHeaders: names.split(';'), signature }
}

/** Reads `20260131T120000Z`. */
function readDate(text: unknown): Date | undefined {
  if (typeof text !== 'string' || !/^\d{8}T\d{6}Z$/.test(text)) return undefined
  const date = new Date(text.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'))
  return Number.isNaN(date.getTime()) ? undefined : date
}

function readQuery(text: string): Record<string, string | string[]> {
  const params = new URLSearchParams(text)
  return Object.fromEntries([...new Set(params.keys())].map(name => [name, params.getAll(name)]))
}

const same = (a: Authorization, b: Authorization) =>
  timingSafeEqual(Buffer.from(a.signature), Buffer.from(b.signature))
