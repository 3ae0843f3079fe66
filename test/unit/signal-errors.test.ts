import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { explain, SignalError, type SignalErrorCode } from '../../tunnel/signalling/errors.ts'

const test = suite('signalling errors')

/** An error as the SDK gives it. */
function sdkError(name: string, message = 'no details', httpStatusCode?: number, code?: string): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode }, ...(code && { code }) })
}

const cases: [SignalErrorCode, Error, RegExp][] = [
  ['access-denied', sdkError('AccessDenied', 'Access Denied', 403), /bucket of-mine.*client_policy_json/],
  ['access-denied', sdkError('UnknownError', '', 403), /denied/],
  [
    'no-such-bucket',
    sdkError('NoSuchBucket', 'The specified bucket does not exist', 404),
    /of-mine.*--bucket/,
  ],
  [
    'no-credentials',
    sdkError('CredentialsProviderError', 'Could not load credentials from any providers'),
    /AWS_PROFILE/,
  ],
  [
    'expired-credentials',
    sdkError('ExpiredToken', 'The provided token has expired.', 400),
    /expired.*sso login/,
  ],
  ['bad-credentials', sdkError('InvalidAccessKeyId', 'does not exist', 403), /does not accept/],
  ['bad-credentials', sdkError('SignatureDoesNotMatch', 'signature', 403), /does not accept/],
  ['clock-skew', sdkError('RequestTimeTooSkewed', 'too large', 403), /clock/],
  ['wrong-region', sdkError('PermanentRedirect', 'endpoint', 301), /--region/],
  ['wrong-region', sdkError('AuthorizationHeaderMalformed', 'the region is wrong', 400), /--region/],
  ['throttled', sdkError('SlowDown', 'reduce your request rate', 503), /throttling/],
  [
    'unreachable',
    sdkError('Error', 'connect ECONNREFUSED 127.0.0.1:1', undefined, 'ECONNREFUSED'),
    /AWS_ENDPOINT_URL/,
  ],
  ['unreachable', sdkError('TimeoutError', 'timed out'), /network/],
  ['unreachable', sdkError('Error', 'getaddrinfo ENOTFOUND s3.nowhere'), /network/],
  ['other', sdkError('Strange', 'what is this'), /Strange: what is this/],
]

test('what the SDK throws becomes a cause and a next step', () => {
  for (const [code, error, advice] of cases) {
    const explained = explain(error, 'write the offer', 'of-mine')
    assert.instance(explained, SignalError)
    assert.is(explained.code, code, `${error.name}: ${error.message}`)
    assert.match(explained.message, /^could not write the offer: /)
    assert.match(explained.message, advice)
    assert.is(explained.cause, error)
  }
})

test('an error that is explained already stays as it is', () => {
  const known = new SignalError('no-answer', 'nobody answered')
  assert.is(explain(known, 'read', 'b'), known)
})

test('what is no error at all is still told', () => {
  assert.match(explain('just text', 'read', 'b').message, 'just text')
})

test.run()
