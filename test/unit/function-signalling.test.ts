import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { unzipSync } from 'fflate'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { buildFunction } from '../../function/build.ts'
import { newSessionId, offerKey } from '../../tunnel/signalling/documents.ts'
import { anOffer } from '../support/documents.ts'
import { patient } from '../support/patience.ts'

// The bundle holds less of the SDK than the sources name: here it is asked what it still does, on Node as Lambda has it.

interface Asked {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: string
}

interface Answered {
  status: number
  body?: string
  headers?: Record<string, string>
}

interface Context {
  folder: string
  server: Server
  asked: Asked[]
  /** What the server answers, in turn; the last one from then on. */
  answers: Answered[]
}

const node = join(import.meta.dir, '../../node_modules/node/bin/node')
const id = newSessionId()
const key = offerKey(id)
const test = suite<Context>('function signalling')

test.before(async context => {
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  for (const [name, bytes] of Object.entries(unzipSync((await buildFunction()).zip)))
    await writeFile(join(context.folder, name), bytes)
  context.asked = []
  context.server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request
    context.asked.push({ method, url, headers, body: await text(request) })
    const { status, headers: more, body = '' } = context.answers.shift()!
    response.writeHead(status, { 'content-type': 'application/xml', ...more }).end(body)
  })
  await new Promise<void>(resolve => context.server.listen(0, '127.0.0.1', resolve))
})
test.before.each(context => {
  context.asked.length = 0
})
test.after(async ({ folder, server }) => {
  server.close()
  server.closeAllConnections()
  await rm(folder, { recursive: true })
})

const lambda = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_SESSION_TOKEN: 'the-token',
}

/** Has the function handle an event in a process of its own, and gives the last line of its log. */
async function handle(
  { folder }: Context,
  environment: Record<string, string>,
  before = '',
): Promise<{ level: string; message: string; reason?: string; error?: string }> {
  const event = { Records: [{ s3: { bucket: { name: 'of-mine' }, object: { key } } }] }
  const context = `{ awsRequestId: 'r', memoryLimitInMB: '128', getRemainingTimeInMillis: () => 60000 }`
  const script = `${before}
    require('./index.js').handler(${JSON.stringify(event)}, ${context})`
  const { stdout } = await promisify(execFile)(node, ['-e', script], {
    cwd: folder,
    env: environment,
    timeout: patient(60_000),
  })
  return JSON.parse(stdout.trim().split('\n').pop()!)
}

const local = ({ server }: Context) => ({
  ...lambda,
  AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
})

const s3Error = (status: number, code: string): Answered => ({
  status,
  body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>what S3 says</Message></Error>`,
})

const failures: [Answered, RegExp][] = [
  [s3Error(403, 'AccessDenied'), /access to the bucket of-mine is denied/],
  [s3Error(404, 'NoSuchBucket'), /the bucket of-mine does not exist/],
  [s3Error(404, 'NoSuchKey'), /could not read the offer: NoSuchKey/],
  [s3Error(400, 'ExpiredToken'), /credentials have expired/],
  [s3Error(403, 'InvalidAccessKeyId'), /does not accept these credentials/],
  [s3Error(403, 'SignatureDoesNotMatch'), /does not accept these credentials/],
  [s3Error(403, 'RequestTimeTooSkewed'), /clock is too far off/],
  [s3Error(301, 'PermanentRedirect'), /in another region/],
]

for (const [answer, said] of failures)
  test(`what S3 answers is told as what it is: ${/<Code>(\w+)/.exec(answer.body!)![1]}`, async context => {
    // A clock that is off is corrected by the server's own, and tried again.
    context.answers = Array.from({ length: 3 }, () => answer)
    const { level, message, error } = await handle(context, local(context))
    assert.is(level, 'ERROR')
    assert.is(message, 'session failed')
    assert.match(error!, said)
  })

test('an offer is asked for by path, in the region, with what Lambda gave for credentials', async context => {
  context.answers = [s3Error(403, 'AccessDenied')]
  await handle(context, local(context))
  assert.is(context.asked.length, 1)
  const { method, url, headers } = context.asked[0]!
  assert.is(method, 'GET')
  assert.is(url, `/of-mine/${key}?x-id=GetObject`)
  assert.match(
    headers.authorization!,
    /^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\/\d{8}\/eu-central-1\/s3\/aws4_request/,
  )
  assert.is(headers['x-amz-security-token'], 'the-token')
})

test('S3 itself is asked where no endpoint is named: the bucket by its host name, over HTTPS', async context => {
  const before = `const https = require('node:https')
    https.request = ({ host, path }) => {
      console.log(JSON.stringify({ message: 'https://' + host + path }))
      process.exit(0)
    }`
  const { message } = await handle(context, lambda, before)
  assert.is(message, `https://of-mine.s3.eu-central-1.amazonaws.com/${key}?x-id=GetObject`)
})

test('throttling is tried again, three times in all', async context => {
  context.answers = Array.from({ length: 3 }, () => s3Error(503, 'SlowDown'))
  const { error } = await handle(context, local(context))
  assert.match(error!, 'AWS is throttling requests')
  assert.is(context.asked.length, 3)
})

test('without credentials nobody is asked for any, and that is what is said', async context => {
  context.answers = []
  const { AWS_ENDPOINT_URL } = local(context)
  const { error } = await handle(context, { AWS_REGION: 'eu-central-1', AWS_ENDPOINT_URL })
  assert.match(error!, 'no AWS credentials were found')
  assert.is(context.asked.length, 0)
})

test('an offer that is not in order is refused, on condition that nobody has answered', async context => {
  const offer = JSON.stringify({ ...anOffer({ session_id: id }), client_port: 'x' })
  context.answers = [
    { status: 200, body: offer, headers: { 'content-type': 'application/json' } },
    { status: 200 },
  ]
  const { error } = await handle(context, local(context))
  assert.match(error!, "the offer's client_port is not valid")
  const { method, url, headers, body } = context.asked[1]!
  assert.is(method, 'PUT')
  assert.is(url, `/of-mine/sessions/${id}/answer.json?x-id=PutObject`)
  assert.is(headers['if-none-match'], '*')
  assert.is(headers['content-type'], 'application/json')
  const { session_id, refused } = JSON.parse(body)
  assert.is(session_id, id)
  assert.match(refused, 'client_port')
})

test('an answer that is there already is no failure', async context => {
  const offer = JSON.stringify(anOffer({ session_id: id, timestamp: Date.now() - 3_600_000 }))
  context.answers = [
    { status: 200, body: offer, headers: { 'content-type': 'application/json' } },
    s3Error(412, 'PreconditionFailed'),
  ]
  const { level, message, reason } = await handle(context, local(context))
  assert.is(level, 'WARN')
  assert.is(message, 'offer refused')
  assert.match(reason!, 'old')
  assert.is(context.asked.length, 2)
})

test.run()
