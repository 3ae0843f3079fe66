import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { explain, SignalError, type SignalErrorCode } from '../../tunnel/signalling/errors.ts'
import { offerEvent, starterOf } from '../../tunnel/signalling/offer-record.ts'
import { refusalHint } from '../../tunnel/signalling/refusal.ts'

const test = suite('signalling errors')

interface Sdk {
  status?: number
  code?: string
  message?: string
  cause?: unknown
}

/** An error as the SDK gives it. */
function sdkError(name: string, { status, code, message = 'no details', cause }: Sdk = {}): Error {
  return Object.assign(new Error(message, { cause }), {
    name,
    $metadata: { httpStatusCode: status },
    ...(code && { code }),
  })
}

const cases: [SignalErrorCode, Error, RegExp][] = [
  ['E_BUCKET_ACCESS_DENIED', sdkError('AccessDenied', { status: 403 }), /bucket of-mine.*client_policy_json/],
  ['E_BUCKET_ACCESS_DENIED', sdkError('UnknownError', { status: 403 }), /denied/],
  ['E_BUCKET_NOT_FOUND', sdkError('NoSuchBucket', { status: 404 }), /of-mine.*name/],
  ['E_AWS_CREDENTIALS_MISSING', sdkError('CredentialsProviderError'), /AWS_PROFILE/],
  ['E_AWS_CREDENTIALS_EXPIRED', sdkError('ExpiredToken', { status: 400 }), /expired.*sso login/],
  ['E_AWS_CREDENTIALS_INVALID', sdkError('InvalidAccessKeyId', { status: 403 }), /does not accept/],
  ['E_AWS_CREDENTIALS_INVALID', sdkError('SignatureDoesNotMatch', { status: 403 }), /does not accept/],
  ['E_AWS_CLOCK', sdkError('RequestTimeTooSkewed', { status: 403 }), /clock/],
  ['E_BUCKET_WRONG_REGION', sdkError('PermanentRedirect', { status: 301 }), /region/],
  ['E_BUCKET_WRONG_REGION', sdkError('AuthorizationHeaderMalformed', { status: 400 }), /region/],
  ['E_AWS_THROTTLED', sdkError('SlowDown', { status: 503 }), /throttling/],
  ['E_AWS_UNREACHABLE', sdkError('Error', { code: 'ECONNREFUSED' }), /AWS_ENDPOINT_URL/],
  ['E_AWS_UNREACHABLE', sdkError('TimeoutError'), /network/],
  ['E_AWS_UNREACHABLE', sdkError('Error', { cause: sdkError('Error', { code: 'ENOTFOUND' }) }), /network/],
  [
    'E_AWS_UNREACHABLE',
    new AggregateError([sdkError('Error', { code: 'ENETUNREACH' })], 'all addresses failed'),
    /network/,
  ],
  ['E_AWS_UNEXPECTED', sdkError('Strange', { message: 'what is this' }), /Strange: what is this/],
]

test('what the SDK throws becomes a code, what happened, and a next step', () => {
  for (const [code, error, words] of cases) {
    const explained = explain(error, 'write the offer', 'of-mine')
    assert.instance(explained, SignalError)
    assert.is(explained.code, code, `${error.name}: ${error.message}`)
    assert.match(explained.message, /^could not write the offer: /)
    assert.match(`${explained.message} ${explained.hint}`, words)
    assert.is(explained.cause, error)
  }
})

test('text decides nothing', () => {
  for (const message of ['connect ECONNREFUSED 127.0.0.1:1', 'Could not load credentials', 'Access Denied'])
    assert.is(explain(sdkError('Error', { message }), 'read', 'b').code, 'E_AWS_UNEXPECTED', message)
})

test('what the other end says acts on no terminal, and is cut off', () => {
  const { message } = explain(
    sdkError('Strange', { message: `\x1b[2J\u202e${'x'.repeat(9_000)}` }),
    'read',
    'b',
  )
  assert.not.match(message, /[\p{Cc}\u202e]/u)
  assert.ok(message.length < 600, `${message.length} characters`)
})

test('the profile that has no credentials is named, and acts on no terminal', () => {
  const { AWS_PROFILE } = process.env
  process.env.AWS_PROFILE = 'work\x1b[2J\u202e'
  try {
    const { message } = explain(sdkError('CredentialsProviderError'), 'read', 'b')
    assert.match(message, 'in the profile work')
    assert.not.match(message, /[\p{Cc}\u202e]/u)
  } finally {
    if (AWS_PROFILE === undefined) delete process.env.AWS_PROFILE
    else process.env.AWS_PROFILE = AWS_PROFILE
  }
})

test('a code of the function’s has its hint, and no other word has one', () => {
  assert.match(refusalHint('E_OFFER_CLOCK')!, 'clock')
  for (const word of ['E_OF_TOMORROW', 'constructor', '__proto__', ''])
    assert.is(refusalHint(word), undefined)
})

test('who sent an event is told from the event itself', () => {
  const [byClient] = offerEvent({ region: 'local-1', bucket: 'b', id: 'a'.repeat(20) }).Records
  assert.is(starterOf(byClient!), 'invoke')
  assert.is(starterOf({ ...byClient, eventSource: 'aws:s3' }), 's3')
  assert.is(starterOf({}), 's3')
})

test('an error that is explained already stays as it is', () => {
  const known = new SignalError('E_ANSWER_TIMEOUT', 'nobody answered')
  assert.is(explain(known, 'read', 'b'), known)
})

test('a cause that is its own cause is looked at, and left', () => {
  const error = sdkError('Strange')
  error.cause = error
  assert.is(explain(error, 'read', 'b').code, 'E_AWS_UNEXPECTED')
})

test('what is no error at all is still told', () => {
  assert.match(explain('just text', 'read', 'b').message, 'just text')
})

test.run()
