/** What went wrong with the bucket, in terms of what a person can do about it. */
export type SignalErrorCode =
  | 'access-denied'
  | 'no-such-bucket'
  | 'no-credentials'
  | 'expired-credentials'
  | 'bad-credentials'
  | 'clock-skew'
  | 'wrong-region'
  | 'throttled'
  | 'unreachable'
  | 'no-answer'
  | 'refused'
  | 'other'

/** Signalling through the bucket failed; `message` names the cause and the next step. */
export class SignalError extends Error {
  override name = 'SignalError'
  constructor(
    readonly code: SignalErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** Turns whatever the SDK threw into a SignalError. `doing` completes "could not …". */
export function explain(error: unknown, doing: string, bucket: string): SignalError {
  if (error instanceof SignalError) return error
  const { code, advice } = diagnose(error, { service: 'S3', resource: `the bucket ${bucket}` })
  return new SignalError(code, `could not ${doing}: ${advice}`, { cause: error })
}

/** What was asked of AWS: the service as people call it, and "the function x" or the like. */
export interface Place {
  service: string
  resource: string
}

/** What an error of any of the SDK's clients comes down to, and what a person can do about it. */
export function diagnose(error: unknown, place: Place): { code: SignalErrorCode; advice: string } {
  const { name, message, status } = describe(error)
  const rule = rules.find(
    ({ names, statuses, text }) =>
      names?.includes(name) || (status && statuses?.includes(status)) || text?.test(message),
  )
  return rule
    ? { code: rule.code, advice: rule.advice(place) }
    : { code: 'other', advice: `${name}: ${message}` }
}

// --- internal ---

interface Rule {
  code: SignalErrorCode
  /** The error's names, as the SDK gives them. */
  names?: string[]
  /** HTTP status codes, where the answer has no body (as with HEAD). */
  statuses?: number[]
  text?: RegExp
  advice: (place: Place) => string
}

/** The first rule that fits wins, so names stand before the status codes they come with. */
const rules: Rule[] = [
  {
    code: 'no-credentials',
    names: ['CredentialsProviderError'],
    text: /could not load credentials|resolved credential object is not valid/i,
    advice: () =>
      `no AWS credentials were found${inProfile()}. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run "aws configure".`,
  },
  {
    code: 'expired-credentials',
    names: ['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired'],
    advice: () => 'the AWS credentials have expired. Sign in again, for example with "aws sso login".',
  },
  {
    code: 'bad-credentials',
    names: [
      'InvalidAccessKeyId',
      'SignatureDoesNotMatch',
      'InvalidToken',
      'UnrecognizedClientException',
      'InvalidClientTokenId',
    ],
    advice: () => 'AWS does not accept these credentials. Check AWS_PROFILE, the access key and the secret.',
  },
  {
    code: 'clock-skew',
    names: ['RequestTimeTooSkewed', 'RequestExpired'],
    advice: () => "this machine's clock is too far off for AWS. Set it, for example with NTP.",
  },
  {
    code: 'no-such-bucket',
    names: ['NoSuchBucket'],
    advice: ({ resource }) =>
      `${resource} does not exist. Check --bucket and --region, or run "lambda-nat-proxy deploy".`,
  },
  {
    code: 'wrong-region',
    names: ['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException'],
    statuses: [301, 307],
    advice: ({ resource }) => `${resource} is in another region. Name it with --region.`,
  },
  {
    code: 'throttled',
    names: [
      'SlowDown',
      'ThrottlingException',
      'Throttling',
      'TooManyRequestsException',
      'RequestLimitExceeded',
    ],
    statuses: [429, 503],
    advice: () => 'AWS is throttling requests. It is tried again more slowly.',
  },
  {
    code: 'access-denied',
    names: ['AccessDenied', 'AccessDeniedException', 'AllAccessDisabled'],
    statuses: [401, 403],
    advice: ({ resource }) =>
      `access to ${resource} is denied. The credentials need the policy that the deployment gives out as client_policy_json.`,
  },
  {
    code: 'unreachable',
    names: ['TimeoutError', 'NetworkingError', 'ConnectionRefused'],
    text: /ECONNREFUSED|ENOTFOUND|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EAI_AGAIN|unable to connect|timed out/i,
    advice: ({ service }) =>
      `${service} cannot be reached. Check the network, and AWS_ENDPOINT_URL if it is set.`,
  },
]

const inProfile = () => (process.env.AWS_PROFILE ? ` in the profile ${process.env.AWS_PROFILE}` : '')

function describe(error: unknown): { name: string; message: string; status: number | undefined } {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), status: undefined }
  const { $metadata, code } = error as Error & { $metadata?: { httpStatusCode?: number }; code?: unknown }
  return {
    name: error.name === 'Error' && typeof code === 'string' ? code : error.name,
    message: error.message || (typeof code === 'string' ? code : 'no details'),
    status: $metadata?.httpStatusCode,
  }
}
