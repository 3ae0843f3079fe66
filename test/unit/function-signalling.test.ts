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
import { newSessionId } from '../../tunnel/signalling/documents.ts'
import type { SignalErrorCode } from '../../tunnel/signalling/errors.ts'
import { offerKey } from '../../tunnel/signalling/keys.ts'
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
  /** That the bundle brings. */
  engine: string
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
  const { zip, engine } = await buildFunction()
  context.engine = engine
  for (const [name, bytes] of Object.entries(unzipSync(zip)))
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
  keys = [key],
): Promise<{
  level: string
  message: string
  code?: string
  reason?: string
  error?: string
  threw?: string
  words?: string
}> {
  const event = { Records: keys.map(key => ({ s3: { bucket: { name: 'of-mine' }, object: { key } } })) }
  const context = `{ awsRequestId: 'r', memoryLimitInMB: '128', getRemainingTimeInMillis: () => 60000 }`
  const script = `${before}
    require('./index.js').handler(${JSON.stringify(event)}, ${context})
      .catch(error => console.log(JSON.stringify({ threw: error.code, words: error.message })))`
  const { stdout } = await promisify(execFile)(node, ['-e', script], {
    cwd: folder,
    env: environment,
    timeout: patient(60_000),
  })
  return Object.assign(
    {},
    ...stdout
      .trim()
      .split('\n')
      .slice(-2)
      .map(line => JSON.parse(line)),
  )
}

const local = ({ server }: Context) => ({
  ...lambda,
  AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
})

const s3Error = (status: number, code: string): Answered => ({
  status,
  body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>what S3 says</Message></Error>`,
})

const failures: [Answered, SignalErrorCode, RegExp][] = [
  [s3Error(404, 'NoSuchBucket'), 'E_BUCKET_NOT_FOUND', /the bucket of-mine does not exist/],
  [s3Error(400, 'ExpiredToken'), 'E_AWS_CREDENTIALS_EXPIRED', /credentials have expired/],
  [s3Error(403, 'InvalidAccessKeyId'), 'E_AWS_CREDENTIALS_INVALID', /does not accept these credentials/],
  [s3Error(403, 'SignatureDoesNotMatch'), 'E_AWS_CREDENTIALS_INVALID', /does not accept these credentials/],
  [s3Error(403, 'RequestTimeTooSkewed'), 'E_AWS_CLOCK', /clock is too far off/],
  [s3Error(301, 'PermanentRedirect'), 'E_BUCKET_WRONG_REGION', /in another region/],
]

for (const [answer, code, said] of failures)
  test(`what S3 answers is told as what it is, and counted as an error: ${code}`, async context => {
    // A clock that is off is corrected by the server's own, and tried again; then the client is to be told.
    context.answers = Array.from({ length: 6 }, () => answer)
    const told = await handle(context, local(context))
    assert.equal([told.level, told.message, told.code, told.threw], ['ERROR', 'session failed', code, code])
    assert.match(told.error!, said)
  })

for (const [status, name] of [
  [404, 'NoSuchKey'],
  [403, 'AccessDenied'],
] as const)
  test(`an offer that is gone is no failure, and nobody is answered: ${name}`, async context => {
    context.answers = [s3Error(status, name)]
    const { level, message, threw } = await handle(context, local(context))
    assert.is(level, 'INFO')
    assert.match(message, 'late or a duplicate')
    assert.is(threw, undefined)
    assert.is(context.asked.length, 1)
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
  context.answers = [...Array.from({ length: 3 }, () => s3Error(503, 'SlowDown')), { status: 200 }]
  const { code } = await handle(context, local(context))
  assert.is(code, 'E_AWS_THROTTLED')
  assert.equal(
    context.asked.map(({ method }) => method),
    ['GET', 'GET', 'GET', 'PUT'],
  )
  assert.is(JSON.parse(context.asked[3]!.body).code, 'E_EXIT_FAILED')
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
  const { level, code, reason, threw } = await handle(context, local(context))
  assert.equal([level, code, threw], ['WARN', 'E_OFFER_INVALID', undefined])
  assert.match(reason!, "the offer's client_port is not valid")
  const { method, url, headers, body } = context.asked[1]!
  assert.is(method, 'PUT')
  assert.is(url, `/of-mine/sessions/${id}/answer.json?x-id=PutObject`)
  assert.is(headers['if-none-match'], '*')
  assert.is(headers['content-type'], 'application/json')
  const refusal = JSON.parse(body)
  assert.equal([refusal.session_id, refusal.code], [id, 'E_OFFER_INVALID'])
  const { refused } = refusal
  assert.match(refused, 'client_port')
})

test('without a descriptor for its socket the function says that it is full', async context => {
  const offer = JSON.stringify(anOffer({ session_id: id }))
  context.answers = [
    { status: 200, body: offer, headers: { 'content-type': 'application/json' } },
    { status: 200 },
  ]
  // Whichever engine the bundle brings.
  const before = `
    const refuse = () => {
      throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
    }
    require('node:dgram').createSocket = refuse
    const extensions = require('node:module')._extensions
    const load = extensions['.node']
    extensions['.node'] = (module, file) => {
      load(module, file)
      if (module.exports.Socket) module.exports = { ...module.exports, Socket: function () { refuse() } }
    }`
  const told = await handle(context, local(context), before)
  assert.equal([told.level, told.code, told.threw], ['ERROR', 'EMFILE', 'EMFILE'])
  assert.is(JSON.parse(context.asked[1]!.body).code, 'E_EXIT_FULL')
})

test('a setting for an engine that the bundle does not bring is told to the client as that', async context => {
  context.answers = [{ status: 200, body: JSON.stringify(anOffer({ session_id: id })) }, { status: 200 }]
  const QUIC_ENGINE = context.engine === 'native' ? 'quiche' : 'native'
  const { threw } = await handle(context, { ...local(context), QUIC_ENGINE })
  assert.is(threw, 'E_EXIT_SETTINGS')
  const { code, refused } = JSON.parse(context.asked[1]!.body)
  assert.is(code, 'E_EXIT_SETTINGS')
  assert.match(refused, `QUIC_ENGINE: no ${QUIC_ENGINE} engine`)
})

test('a client that cannot be told why is no reason to fail', async context => {
  context.answers = [{ status: 200, body: 'no offer' }, s3Error(403, 'AccessDenied')]
  const { level, code, threw } = await handle(context, local(context))
  assert.equal([level, code, threw], ['WARN', 'E_OFFER_INVALID', undefined])
  assert.is(context.asked.length, 2)
})

test('each record of an event is handled, and of several that fail the first is named', async context => {
  const other = newSessionId()
  context.answers = Array.from({ length: 4 }, () => s3Error(404, 'NoSuchBucket'))
  const { threw, words } = await handle(context, local(context), '', [key, offerKey(other)])
  assert.is(threw, 'E_BUCKET_NOT_FOUND')
  assert.match(words!, /^a session failed: .*, and 1 more$/)
  const read = context.asked.filter(({ method }) => method === 'GET').map(({ url }) => url)
  assert.equal(read.sort(), [id, other].map(each => `/of-mine/${offerKey(each)}?x-id=GetObject`).sort())
})

test('a key is read as S3 writes it into an event, percent-encoded', async context => {
  context.answers = [s3Error(404, 'NoSuchKey')]
  await handle(context, local(context), '', [key.replaceAll('/', '%2F')])
  assert.is(context.asked[0]?.url, `/of-mine/${key}?x-id=GetObject`)
})

for (const [minutes, code, words] of [
  [-5, 'E_OFFER_EXPIRED', /is 300 s old, and 60 s is the limit/],
  [5, 'E_OFFER_CLOCK', /(299|300) s in the future/],
] as const)
  test(`an offer of ${minutes} minutes from now is refused: ${code}`, async context => {
    const offer = anOffer({ session_id: id, timestamp: Date.now() + minutes * 60_000 })
    context.answers = [{ status: 200, body: JSON.stringify(offer) }, { status: 200 }]
    const told = await handle(context, local(context))
    assert.equal([told.level, told.code], ['WARN', code])
    assert.match(JSON.parse(context.asked[1]!.body).refused, words)
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
