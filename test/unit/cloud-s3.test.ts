import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  type S3ServiceException,
} from '@aws-sdk/client-s3'
import { Sha256 } from '@smithy/core/checksum'
import { SignatureV4 } from '@smithy/signature-v4'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type LocalS3, startS3 } from '../../cli/cloud/s3.ts'
import { newCredentials } from '../../cli/cloud/s3-auth.ts'
import { asDelivered, type S3Event, startsFunction } from '../../cli/cloud/s3-event.ts'
import { ListenError } from '../../cli/input/listen-error.ts'
import { inWords } from '../../cli/output/advice.ts'
import { startMoto } from '../support/moto.ts'

const host = '127.0.0.1'
const Bucket = 'signalling'
const credentials = newCredentials()

const clientOf = (endpoint: string, key = credentials) =>
  new S3Client({ endpoint, forcePathStyle: true, region: 'local-1', credentials: key })

const moto = await startMoto()

interface Ours {
  s3: LocalS3
  client: S3Client
  events: S3Event[]
  directory: string
}

const test = suite<Ours>('local S3')

test.before.each(async context => {
  context.events = []
  context.directory = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.s3 = await startS3({
    host,
    port: 0,
    directory: join(context.directory, 's3'),
    buckets: [Bucket],
    credentials,
    onEvent: event => context.events.push(event),
  })
  context.client = clientOf(`http://${host}:${context.s3.port}`)
})

test.after.each(async ({ s3, client, directory }) => {
  client.destroy()
  await s3.close()
  await rm(directory, { recursive: true })
})

const body = async (client: S3Client, Key: string) =>
  Buffer.from(await (await client.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToByteArray())

const failure = async (request: Promise<unknown>): Promise<S3ServiceException> => {
  try {
    await request
  } catch (error) {
    return error as S3ServiceException
  }
  throw new Error('the request was to fail')
}

/** The head of a PUT that no SDK would send: any path, any length, signed for another path or at another time. */
async function rawPut(
  path: string,
  length: number,
  { signedPath = path, at = new Date() } = {},
): Promise<string> {
  const signer = new SignatureV4({
    ...{ credentials, region: 'local-1', service: 's3', sha256: Sha256 },
    uriEscapePath: false,
  })
  const headers = { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }
  const request = { protocol: 'http:', hostname: host, method: 'PUT', path: signedPath, headers }
  const signed = await signer.sign(request, { signingDate: at })
  const fields = { ...signed.headers, connection: 'close', 'content-length': String(length) }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `PUT ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/** What S3 answers to these bytes. */
async function answerTo(port: number, bytes: string): Promise<string> {
  const socket = connect(port, host)
  socket.write(bytes)
  let response = ''
  for await (const chunk of socket) response += chunk
  return response
}

/** The status of a write that may not replace anything. */
const putNew = (client: S3Client, Key: string, Body: string) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body, IfNoneMatch: '*' })).then(
    () => 200,
    (error: S3ServiceException) => error.$metadata.httpStatusCode,
  )

/** What the signalling relies on, said of a server that has the bucket. */
async function conditionalWrites(client: S3Client) {
  assert.is(await putNew(client, 'sessions/a/answer.json', 'first'), 200)
  const error = await failure(
    client.send(
      new PutObjectCommand({ Bucket, Key: 'sessions/a/answer.json', Body: 'second', IfNoneMatch: '*' }),
    ),
  )
  assert.is(error.name, 'PreconditionFailed')
  assert.is(error.$metadata.httpStatusCode, 412)
  assert.is(String(await body(client, 'sessions/a/answer.json')), 'first')

  await client.send(new PutObjectCommand({ Bucket, Key: 'sessions/a/answer.json', Body: 'third' }))
  assert.is(String(await body(client, 'sessions/a/answer.json')), 'third')
  const missing = await failure(
    client.send(new GetObjectCommand({ Bucket, Key: 'sessions/none/answer.json' })),
  )
  assert.is(missing.name, 'NoSuchKey')
  assert.is(missing.$metadata.httpStatusCode, 404)
}

test('a conditional write replaces nothing, and is told so', ({ client }) => conditionalWrites(client))

// Not of moto's server: its threads look first and write later.
test('of conditional writes at once exactly one succeeds', async ({ client }) => {
  for (let round = 0; round < 20; round++) {
    const key = `sessions/race-${round}/answer.json`
    const statuses = await Promise.all(['one', 'two', 'three'].map(text => putNew(client, key, text)))
    assert.is(statuses.filter(status => status === 200).length, 1, `${statuses}`)
    const won = ['one', 'two', 'three'][statuses.indexOf(200)]
    assert.is(String(await body(client, key)), won)
  }
})

test('a bucket that is not there is NoSuchBucket, on reading and on a conditional write', async ({
  client,
}) => {
  const read = await failure(client.send(new GetObjectCommand({ Bucket: 'elsewhere', Key: 'a' })))
  assert.is(read.name, 'NoSuchBucket')
  const write = new PutObjectCommand({ Bucket: 'elsewhere', Key: 'a', Body: 'a', IfNoneMatch: '*' })
  assert.is((await failure(client.send(write))).name, 'NoSuchBucket')
})

test('the SDK stores the exact bytes, from memory and as a stream in chunks', async ({ client }) => {
  const bytes = crypto.getRandomValues(Buffer.alloc(60_000))
  await client.send(new PutObjectCommand({ Bucket, Key: 'memory', Body: bytes }))
  assert.ok(bytes.equals(await body(client, 'memory')))

  const Body = Readable.from([bytes.subarray(0, 7), bytes.subarray(7, 30_000), bytes.subarray(30_000)])
  await client.send(new PutObjectCommand({ Bucket, Key: 'stream', Body, ContentLength: bytes.length }))
  const stored = await client.send(new GetObjectCommand({ Bucket, Key: 'stream' }))
  assert.is(stored.ContentEncoding, undefined)
  assert.ok(bytes.equals(Buffer.from(await stored.Body!.transformToByteArray())))

  await client.send(new PutObjectCommand({ Bucket, Key: 'empty', Body: '' }))
  assert.is((await body(client, 'empty')).length, 0)
})

test('an object that is being overwritten reads as the old or the new one, whole', async ({ client }) => {
  const texts = ['a'.repeat(100_000), 'b'.repeat(100_000)]
  const put = (i: number) => client.send(new PutObjectCommand({ Bucket, Key: 'doc', Body: texts[i % 2] }))
  await put(0)
  for (let i = 1; i <= 20; i++) {
    const [, read] = await Promise.all([put(i), body(client, 'doc')])
    assert.ok(texts.includes(String(read)), `${read.length} bytes`)
  }
})

test('an upload that breaks off stores nothing', async ({ client, s3, events }) => {
  const socket = connect(s3.port, host)
  socket.write(`${await rawPut(`/${Bucket}/sessions/a/offer.json`, 100)}half`)
  socket.once('connect', () => setImmediate(() => socket.end()))
  await new Promise(resolve =>
    socket
      .on('close', resolve)
      .resume()
      .on('error', () => {}),
  )
  const error = await failure(client.send(new GetObjectCommand({ Bucket, Key: 'sessions/a/offer.json' })))
  assert.is(error.name, 'NoSuchKey')
  assert.equal(events, [])
})

test('a created and a removed object is an event, in the form that Lambda gets', async ({
  client,
  events,
}) => {
  const Key = 'sessions/ä b+c/(1)~/offer.json'
  await client.send(new PutObjectCommand({ Bucket, Key, Body: '{}' }))
  await client.send(new DeleteObjectCommand({ Bucket, Key }))
  const [created, removed] = events.map(event => asDelivered(event, 'local-1').Records[0]!)
  assert.is(created?.eventName, 'ObjectCreated:Put')
  assert.is(created?.awsRegion, 'local-1')
  assert.equal([created?.s3.bucket.name, created?.s3.bucket.arn], [Bucket, `arn:aws:s3:::${Bucket}`])
  assert.is(created?.s3.object.key, 'sessions/%C3%A4+b%2Bc/%281%29%7E/offer.json')
  assert.is(removed?.eventName, 'ObjectRemoved:Delete')
  assert.equal(
    events.map(event => startsFunction(event.Records[0]!)),
    [true, false],
  )
})

test('only a new offer starts the function', async ({ client, events }) => {
  const keys = [
    'sessions/a/offer.json',
    'sessions/a/answer.json',
    'other/sessions/a/offer.json',
    'sessions/offer.json',
  ]
  for (const Key of keys) await client.send(new PutObjectCommand({ Bucket, Key, Body: '{}' }))
  assert.equal(
    events.map(event => startsFunction(event.Records[0]!)),
    [true, false, false, true],
  )
})

test('who brings no credentials, or unknown ones, is refused', async ({ s3, events }) => {
  const url = `http://${host}:${s3.port}`
  const anonymous = await fetch(`${url}/${Bucket}/sessions/a/offer.json`, { method: 'PUT', body: '{}' })
  assert.is(anonymous.status, 403)
  assert.match(await anonymous.text(), '<Code>AccessDenied</Code>')
  const strangers = [
    // The one that s3rver itself knows.
    { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER', name: 'InvalidAccessKeyId' },
    { ...newCredentials(), name: 'InvalidAccessKeyId' },
    { ...credentials, secretAccessKey: 'guess', name: 'SignatureDoesNotMatch' },
  ]
  for (const { name, ...key } of strangers) {
    const stranger = clientOf(url, key)
    for (const command of [
      new PutObjectCommand({ Bucket, Key: 'a', Body: '{}' }),
      new GetObjectCommand({ Bucket, Key: 'a' }),
    ])
      assert.is((await failure(stranger.send(command as PutObjectCommand))).name, name)
    stranger.destroy()
  }
  assert.equal(events, [])
})

test('a signature is good for its own request and a quarter of an hour', async ({ s3, events }) => {
  const path = `/${Bucket}/sessions/a/offer.json`
  const answer = async (how: Parameters<typeof rawPut>[2]) =>
    answerTo(s3.port, `${await rawPut(path, 2, how)}{}`)
  assert.match(await answer({ signedPath: `/${Bucket}/other` }), '<Code>SignatureDoesNotMatch</Code>')
  for (const minutes of [-16, 16])
    assert.match(
      await answer({ at: new Date(Date.now() + minutes * 60_000) }),
      '<Code>RequestTimeTooSkewed</Code>',
    )
  assert.equal(events, [])
  for (const minutes of [-14, 14])
    assert.match(await answer({ at: new Date(Date.now() + minutes * 60_000) }), 'HTTP/1.1 200 OK')
})

test('what is refused is not read: a body without a good signature costs nothing', async ({ s3 }) => {
  const head = await rawPut(`/${Bucket}/a`, 60_000_000, { signedPath: '/other' })
  assert.match(await answerTo(s3.port, head), '<Code>SignatureDoesNotMatch</Code>')
})

test('each key pair is new', () => {
  const pairs = Array.from({ length: 100 }, newCredentials)
  for (const { accessKeyId, secretAccessKey } of pairs) {
    assert.match(accessKeyId, /^[A-Z0-9]{20}$/)
    assert.match(secretAccessKey, /^[\w-]{40}$/)
  }
  assert.is(new Set(pairs.map(({ accessKeyId }) => accessKeyId)).size, 100)
  assert.is(new Set(pairs.map(({ secretAccessKey }) => secretAccessKey)).size, 100)
})

test('a key cannot climb out of the folder', async ({ s3, directory }) => {
  for (const path of [
    `/${Bucket}/..%2f..%2fescaped`,
    `/${Bucket}/%2e%2e/%2e%2e/escaped`,
    '/%2e%2e/escaped',
    `/${Bucket}/%ff`,
  ]) {
    const response = await answerTo(s3.port, `${await rawPut(path, 1)}x`)
    assert.match(response, '<Code>InvalidURI</Code>', path)
  }
  assert.equal(await readdir(directory), ['s3'])
})

test('a port in use is named, with the option that changes it', async ({ s3, directory }) => {
  try {
    await startS3({ host, port: s3.port, directory, buckets: [], credentials, onEvent: () => {} })
    assert.unreachable('the port was taken twice')
  } catch (error) {
    assert.instance(error, ListenError)
    assert.match(String(error), `${s3.port}`)
    assert.match(inWords(error).join(), '--s3-port')
  }
})

test.run()

if (moto) {
  const test = suite("S3 of moto's server")
  test('a conditional write replaces nothing, and is told so', async () => {
    const client = clientOf(moto.endpoint)
    await client.send(new CreateBucketCommand({ Bucket }))
    await conditionalWrites(client)
    client.destroy()
  })
  test.after(() => moto.close())
  test.run()
}
