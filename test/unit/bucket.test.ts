import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startS3 } from '../../cli/cloud/s3.ts'
import { account, newCredentials } from '../../cli/cloud/s3-auth.ts'
import { type BucketOptions, openBucket, type SignalBucket } from '../../tunnel/signalling/bucket.ts'
import { DocumentError, newSessionId } from '../../tunnel/signalling/documents.ts'
import { SignalError, type SignalErrorCode } from '../../tunnel/signalling/errors.ts'
import { answerKey, offerKey } from '../../tunnel/signalling/keys.ts'
import { closeAfterEach } from '../support/close-after-each.ts'
import { anAnswer, anOffer } from '../support/documents.ts'
import { patient } from '../support/patience.ts'

interface Context {
  bucket: SignalBucket
  /** A server in S3's place that answers as the test says; its endpoint. */
  standIn: (answer: RequestListener, as?: string) => Promise<string>
  /** The same server, with other options. */
  open: (options?: Partial<BucketOptions>) => SignalBucket
  /** Writes whatever to a key, past the signalling. */
  put: (key: string, body: string) => Promise<unknown>
}

const host = '127.0.0.1'
const name = 'signalling'
const test = suite<Context>('signalling bucket')
const later = closeAfterEach(test)

test.before.each(async context => {
  const directory = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  later({ close: () => rm(directory, { recursive: true }) })
  const credentials = newCredentials()
  const s3 = later(await startS3({ host, port: 0, directory, buckets: [name], credentials, onEvent() {} }))
  const endpoint = `http://${host}:${s3.port}`
  const common = { region: 'local-1', endpoint, credentials }
  const client = new S3Client({ ...common, forcePathStyle: true })
  later({ close: () => client.destroy() })
  context.open = options => later(openBucket({ bucket: name, ...common, ...options }))
  context.bucket = context.open()
  context.standIn = async (answer, as = host) => {
    const server = createHttpServer((request, response) => {
      request.resume().on('end', () => answer(request, response))
    })
    await new Promise<void>(resolve => server.listen(0, host, resolve))
    later({
      close() {
        server.close()
        server.closeAllConnections()
      },
    })
    return `http://${as}:${(server.address() as AddressInfo).port}`
  }
  context.put = (Key, Body) => client.send(new PutObjectCommand({ Bucket: name, Key, Body }))
})

/** The error's message, where it is a SignalError of this code. */
async function refused(code: SignalErrorCode, run: Promise<unknown>): Promise<SignalError> {
  const error = await failure(run)
  if (!(error instanceof SignalError)) throw error
  assert.is(error.code, code, error.message)
  return error
}

async function failure(run: Promise<unknown>): Promise<Error> {
  try {
    await run
  } catch (error) {
    return error as Error
  }
  throw new Error('it was to fail')
}

test('an offer and its answer are exchanged, and removed', async ({ bucket }) => {
  const offer = anOffer()
  await bucket.putOffer(offer)
  assert.equal(await bucket.getOffer(offer.session_id), offer)
  const answer = anAnswer({ session_id: offer.session_id })
  assert.is(await bucket.putAnswer(answer), true)
  assert.equal(await bucket.waitForAnswer(offer.session_id, 5_000), answer)
  await bucket.remove(offer.session_id)
  await refused('E_OFFER_GONE', bucket.getOffer(offer.session_id))
  await refused('E_ANSWER_TIMEOUT', bucket.waitForAnswer(offer.session_id, 100))
  await bucket.remove(offer.session_id)
})

test('of ten answers to one offer, one is written', async ({ bucket }) => {
  const session_id = newSessionId()
  const answers = Array.from({ length: 10 }, (_, i) => anAnswer({ session_id, function_port: 1_000 + i }))
  const written = await Promise.all(answers.map(bucket.putAnswer))
  assert.is(written.filter(Boolean).length, 1)
  assert.equal(await bucket.waitForAnswer(session_id, 5_000), answers[written.indexOf(true)])
})

test("a stranger's bucket of the same name is not used", async ({ open }) => {
  const ours = anOffer()
  await open({ owner: account }).putOffer(ours)
  const theirs = open({ owner: '999999999999' })
  for (const run of [
    () => theirs.putOffer(anOffer()),
    () => theirs.waitForAnswer(ours.session_id, 5_000),
    () => theirs.remove(ours.session_id),
  ]) {
    const { message, hint } = await refused('E_BUCKET_FOREIGN', run())
    assert.match(message, 'does not belong to the AWS account 999999999999')
    assert.match(hint!, 'do not use it')
  }
  assert.equal(await open().getOffer(ours.session_id), ours)
})

test('an answer that comes while it is waited for is taken', async ({ bucket }) => {
  const answer = anAnswer()
  const waiting = bucket.waitForAnswer(answer.session_id, 10_000)
  await bucket.putAnswer(answer)
  assert.equal(await waiting, answer)
})

test('without an answer the limit ends the wait, and the error says where to look', async ({ bucket }) => {
  const started = performance.now()
  const { message, hint } = await refused('E_ANSWER_TIMEOUT', bucket.waitForAnswer(newSessionId(), 200))
  assert.ok(performance.now() - started < patient(10_000), 'its own limit, and no other')
  assert.match(message, 'within 0.2 s')
  assert.match(hint!, 'look at its log')
})

test('an abort ends the wait with its own reason', async ({ bucket }) => {
  const stop = new AbortController()
  const waiting = failure(bucket.waitForAnswer(newSessionId(), 60_000, stop.signal))
  await new Promise(resolve => setImmediate(resolve))
  stop.abort(new DOMException('enough', 'AbortError'))
  assert.is((await waiting).message, 'enough')
})

test("a refusal is told by the function's code and words, and acts on no terminal", async ({ bucket }) => {
  const refuse = async (code: string, refused: string) => {
    const session_id = newSessionId()
    await bucket.putAnswer({ version: 1, session_id, code, refused })
    return bucket.waitForAnswer(session_id, 5_000)
  }
  const old = await refused('E_OFFER_EXPIRED', refuse('E_OFFER_EXPIRED', 'the offer is 90 s old'))
  assert.match(old.message, 'the offer is 90 s old')
  const acting = await refused('E_EXIT_SETTINGS', refuse('E_EXIT_SETTINGS', '\x1b]0;title\x07\u202ex'))
  assert.not.match(acting.message, /[\p{Cc}\u202e]/u)
  // Of a later release, or of nobody: its words are all that is known.
  await refused('E_OFFER_REFUSED', refuse('E_OF_TOMORROW', 'no more'))
  await refused('E_OFFER_REFUSED', refuse('E_AWS_UNREACHABLE', 'somebody else’s code'))
})

test('an offer that is not there any more is told from a bucket that is not', async ({ bucket, open }) => {
  await refused('E_OFFER_GONE', bucket.getOffer(newSessionId()))
  await refused('E_BUCKET_NOT_FOUND', open({ bucket: 'nosuch' }).getOffer(newSessionId()))
})

test('documents that are malformed, huge, or of another session are refused', async ({ bucket, put }) => {
  for (const [body, what] of [
    ['{', 'not JSON'],
    [JSON.stringify({ ...anOffer(), client_port: 'x' }), 'client_port'],
    [`"${'x'.repeat(100_000)}"`, 'larger than'],
    [JSON.stringify(anOffer()), 'session_id'],
  ] as const) {
    const id = newSessionId()
    await put(offerKey(id), body)
    const error = await failure(bucket.getOffer(id))
    assert.instance(error, DocumentError)
    assert.match(error.message, what)
  }
  for (const [body, what] of [
    [' ', 'not JSON'],
    [JSON.stringify({ ...anAnswer(), certificate_sha256: 'x' }), 'certificate_sha256'],
    [`"${'x'.repeat(100_000)}"`, 'larger than'],
    [JSON.stringify(anAnswer()), 'session_id'],
  ] as const) {
    const id = newSessionId()
    await put(answerKey(id), body)
    const error = await failure(bucket.waitForAnswer(id, 5_000))
    assert.instance(error, DocumentError)
    assert.match(error.message, what)
  }
})

test('a bucket that is not there is named', async ({ open }) => {
  const bucket = open({ bucket: 'nosuch' })
  for (const run of [
    () => bucket.putOffer(anOffer()),
    () => bucket.getOffer(newSessionId()),
    () => bucket.putAnswer(anAnswer()),
  ])
    assert.match((await refused('E_BUCKET_NOT_FOUND', run())).message, 'the bucket nosuch does not exist')
})

test('credentials that nobody knows are not called anything else', async ({ open }) => {
  const bucket = open({ credentials: { accessKeyId: 'AKIAUNKNOWN', secretAccessKey: 'x' } })
  await refused('E_AWS_CREDENTIALS_INVALID', bucket.putOffer(anOffer()))
})

test('an endpoint where nobody answers is unreachable', async ({ open }) => {
  const server = createServer().listen(0, host)
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  const { hint } = await refused(
    'E_AWS_UNREACHABLE',
    open({ endpoint: `http://${host}:${port}` }).putOffer(anOffer()),
  )
  assert.match(hint!, 'AWS_ENDPOINT_URL')
})

test('connections that may lead nowhere are given up, and the next request has a new one', async ({
  open,
  standIn,
}) => {
  const ports: (number | undefined)[] = []
  const endpoint = await standIn(({ socket }, response) => {
    ports.push(socket.remotePort)
    response.end()
  })
  const bucket = open({ endpoint })
  for (let i = 0; i < 2; i++) await bucket.putOffer(anOffer())
  bucket.reconnect()
  for (let i = 0; i < 2; i++) await bucket.putOffer(anOffer())
  const [first, second, third, fourth] = ports
  assert.is(second, first)
  assert.is.not(third, first)
  assert.is(fourth, third)
})

test('an offer that is called off is not waited for, and not tried again', async ({ open, standIn }) => {
  const stop = new AbortController()
  let requests = 0
  const endpoint = await standIn(() => {
    requests++
    stop.abort()
  })
  const error = await failure(open({ endpoint }).putOffer(anOffer(), stop.signal))
  assert.is(error.name, 'AbortError')
  assert.is(requests, 1)
})

test('what is larger than any document is not read', async ({ open, standIn }) => {
  // It begins, and does not end.
  const endpoint = await standIn((_, response) => {
    response.writeHead(200, { 'content-length': 1_000_000_000 }).write('{')
  })
  const error = await failure(open({ endpoint }).getOffer(newSessionId()))
  assert.instance(error, DocumentError)
  assert.match(error.message, 'larger than')
})

test('who loses the race for an answer has not written it, whichever way S3 says so', async ({
  open,
  standIn,
}) => {
  for (const [status, code] of [
    [412, 'PreconditionFailed'],
    [409, 'ConditionalRequestConflict'],
  ] as const) {
    const endpoint = await standIn((_, response) => {
      response.writeHead(status, { 'content-type': 'application/xml' })
      response.end(`<Error><Code>${code}</Code><Message>as S3 says</Message></Error>`)
    })
    assert.is(await open({ endpoint }).putAnswer(anAnswer()), false, code)
  }
})

test('a server that is not AWS is asked by path, whatever it is called', async ({ open, standIn }) => {
  const paths: string[] = []
  const endpoint = await standIn(({ url = '' }, response) => {
    paths.push(url)
    response.end()
  }, 'localhost')
  const offer = anOffer()
  await open({ endpoint }).putOffer(offer)
  assert.match(paths[0]!, `/${name}/${offerKey(offer.session_id)}`)
})

test.run()
