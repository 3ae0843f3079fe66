import { createHash, randomUUID } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Context, Middleware, Store, StoredObject } from 's3rver'
import S3Error from 's3rver/lib/models/error.js'
import { account, authenticator, type Credentials } from './s3-auth.ts'

// What S3 does and s3rver does not: conditional writes, whole objects or none, chunked uploads with a trailer, and no
// access without credentials.

const maxBody = 64 * 1024 * 1024

/** The Koa middleware that stands in front of s3rver's own. */
export function strict(store: Store, credentials: Credentials): Middleware {
  const authenticate = authenticator(credentials)
  const inTurn = queuePerKey()
  return async (ctx, next) => {
    await authenticate(ctx)
    // s3rver's own check knows one key pair, which everybody knows; without this header it lets everybody in.
    delete ctx.headers.authorization
    const owner = ctx.headers['x-amz-expected-bucket-owner']
    if (owner !== undefined && owner !== account) throw new S3Error('AccessDenied', 'Access Denied')
    const path = objectPath(ctx)
    if (ctx.method !== 'PUT' || !path) return next()

    const condition = ctx.headers['if-none-match']
    if (ctx.headers['if-match'] || (condition && condition !== '*'))
      throw new S3Error('NotImplemented', 'Of conditional writes only If-None-Match: * is implemented')
    ctx.req = Readable.from([await readBody(ctx)])
    // Each key's writes go one after another, so that of two that race one finds the other's object.
    await inTurn(`${path.bucket}/${path.key}`, async () => {
      if (condition && (await store.existsObject(path.bucket, path.key)))
        throw new S3Error(
          'PreconditionFailed',
          'At least one of the pre-conditions you specified did not hold',
          {
            Condition: 'If-None-Match',
          },
        )
      await next()
    })
  }
}

/** s3rver writes an object in place and calls it stored before its last byte is; S3 shows all of it or nothing. */
export const putWhole =
  (store: Store) =>
  async ({ bucket, key, content, metadata }: StoredObject): Promise<{ size: number; md5: string }> => {
    const bytes = await buffer(content)
    const md5 = createHash('md5').update(bytes).digest('hex')
    const path = store.getResourcePath(bucket, key, 'object')
    const partial = `${path}.${randomUUID()}`
    await mkdir(dirname(path), { recursive: true })
    await writeFile(partial, bytes)
    await store.putMetadata(bucket, key, metadata, md5)
    await rename(partial, path)
    return { size: bytes.length, md5 }
  }

// --- internal ---

/** Bucket and key of a request for an object. The store makes file names of them: nothing may climb out of its folder. */
function objectPath({ path }: Context): { bucket: string; key: string } | undefined {
  const decoded = decode(path)
  if (decoded.includes('\0') || decoded.split('/').some(part => part === '.' || part === '..'))
    throw new S3Error('InvalidURI', "Couldn't parse the specified URI.")
  const [, bucket, key] = /^\/([^/]+)\/(.+)$/s.exec(decoded) ?? []
  return bucket && key ? { bucket, key } : undefined
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new S3Error('InvalidURI', "Couldn't parse the specified URI.")
  }
}

async function readBody(ctx: Context): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBody)
      throw new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size')
    chunks.push(chunk)
  }
  const body = Buffer.concat(chunks)
  if (!String(ctx.headers['x-amz-content-sha256']).startsWith('STREAMING-')) return body
  // The encoding is of the transfer, not of the object (it would be stored as such).
  delete ctx.headers['content-encoding']
  return unchunk(body)
}

/** The bytes inside `aws-chunked`: a line with the size in hexadecimal, the chunk, and so on to a size of 0. */
function unchunk(body: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const end = body.indexOf('\r\n', at)
    const size = end < 0 ? Number.NaN : Number.parseInt(body.toString('latin1', at, end), 16)
    const start = end + 2
    if (!(size >= 0) || start + size > body.length) throw incomplete()
    if (size === 0) return Buffer.concat(chunks)
    chunks.push(body.subarray(start, start + size))
    at = start + size + 2
  }
}

const incomplete = () =>
  new S3Error(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
  )

/** Runs tasks of the same key one after another. */
function queuePerKey() {
  const last = new Map<string, Promise<void>>()
  return async (key: string, task: () => Promise<void>): Promise<void> => {
    const turn = (last.get(key) ?? Promise.resolve()).then(task, task)
    last.set(key, turn)
    try {
      await turn
    } finally {
      if (last.get(key) === turn) last.delete(key)
    }
  }
}
