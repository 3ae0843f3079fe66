import { printable } from '../net/printable.ts'

/** What an error of any of the SDK's clients comes down to. */
export type AwsErrorCode =
  | 'E_AWS_ACCESS_DENIED'
  | 'E_AWS_CLOCK'
  | 'E_AWS_CREDENTIALS_EXPIRED'
  | 'E_AWS_CREDENTIALS_INVALID'
  | 'E_AWS_CREDENTIALS_MISSING'
  /** It is the region that does not know the credentials: others do. */
  | 'E_AWS_REGION_DISABLED'
  | 'E_AWS_THROTTLED'
  | 'E_AWS_UNREACHABLE'
  | 'E_AWS_WRONG_REGION'
  | 'E_BUCKET_NOT_FOUND'
  /** None of these; the message has AWS's own words. */
  | 'E_AWS_UNEXPECTED'

/** What was asked of AWS: the service as people call it, and "the function x" or the like. */
export interface Place {
  service: string
  resource: string
}

export interface AwsDiagnosis {
  code: AwsErrorCode
  message: string
  hint?: string
}

/** Classifies what one of the SDK's clients threw: by names, status codes and system codes, never by its text. */
export function diagnose(error: unknown, place: Place): AwsDiagnosis {
  const { names, status } = describe(error)
  const rule =
    rules.find(rule => rule.names.some(name => names.includes(name))) ??
    rules.find(({ statuses = [] }) => status !== undefined && statuses.includes(status))
  if (rule) return { code: rule.code, message: rule.message(place), hint: rule.hint(place) }
  const text = error instanceof Error ? error.message : String(error)
  return { code: 'E_AWS_UNEXPECTED', message: printable(`${names[0] ?? 'Error'}: ${text || 'no details'}`) }
}

// --- internal ---

interface Rule {
  code: AwsErrorCode
  /** The error's names and system codes, as SDK, Node and Bun give them. */
  names: readonly string[]
  /** HTTP status codes, where the answer has no body (as with HEAD). */
  statuses?: readonly number[]
  message: (place: Place) => string
  hint: (place: Place) => string
}

const rules: Rule[] = [
  {
    code: 'E_AWS_CREDENTIALS_MISSING',
    names: ['CredentialsProviderError'],
    message: () => `no AWS credentials were found${inProfile()}`,
    hint: () => 'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run "aws configure".',
  },
  {
    code: 'E_AWS_CREDENTIALS_EXPIRED',
    names: ['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired'],
    message: () => 'the AWS credentials have expired',
    hint: () => 'Sign in again, for example with "aws sso login".',
  },
  {
    code: 'E_AWS_CREDENTIALS_INVALID',
    names: [
      'InvalidAccessKeyId',
      'SignatureDoesNotMatch',
      'InvalidToken',
      'UnrecognizedClientException',
      'InvalidClientTokenId',
      'AuthFailure',
    ],
    message: () => 'AWS does not accept these credentials',
    hint: () => 'Check AWS_PROFILE, the access key and the secret.',
  },
  {
    code: 'E_AWS_CLOCK',
    names: ['RequestTimeTooSkewed', 'RequestExpired'],
    message: () => "this machine's clock is too far off for AWS",
    hint: () => 'Set it, for example with NTP.',
  },
  {
    code: 'E_BUCKET_NOT_FOUND',
    names: ['NoSuchBucket'],
    message: ({ resource }) => `${resource} does not exist`,
    hint: () => "Check the bucket's name and its region, or deploy again.",
  },
  {
    code: 'E_AWS_WRONG_REGION',
    names: ['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException'],
    statuses: [301, 307],
    message: ({ resource }) => `${resource} is in another region`,
    hint: () => 'Name the region that it is in.',
  },
  {
    code: 'E_AWS_THROTTLED',
    names: [
      'SlowDown',
      'ThrottlingException',
      'Throttling',
      'TooManyRequestsException',
      'RequestLimitExceeded',
    ],
    statuses: [429, 503],
    message: () => 'AWS is throttling requests',
    hint: () => 'It is tried again more slowly.',
  },
  {
    code: 'E_AWS_ACCESS_DENIED',
    names: ['AccessDenied', 'AccessDeniedException', 'AllAccessDisabled'],
    statuses: [401, 403],
    message: ({ resource }) => `access to ${resource} is denied`,
    hint: () => 'The credentials need the policy that the deployment gives out as client_policy_json.',
  },
  {
    code: 'E_AWS_UNREACHABLE',
    names: [
      'TimeoutError',
      'NetworkingError',
      'ConnectionRefused',
      'ConnectionClosed',
      'FailedToOpenSocket',
      'ECONNREFUSED',
      'ECONNRESET',
      'EPIPE',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'ETIMEDOUT',
      'ENODATA',
      'ESERVFAIL',
    ],
    message: ({ service }) => `${service} cannot be reached`,
    hint: () => 'Check the network, and AWS_ENDPOINT_URL if it is set.',
  },
]

const inProfile = () =>
  process.env.AWS_PROFILE ? ` in the profile ${printable(process.env.AWS_PROFILE)}` : ''

/** Causes of causes that are looked at: the SDK wraps what the system says once or twice. */
const maxDepth = 4

/** The names and codes of an error and of what caused it, the outermost first, and the answer's HTTP status. */
function describe(error: unknown): { names: string[]; status: number | undefined } {
  const names: string[] = []
  let status: number | undefined
  const look = (each: unknown, depth: number) => {
    if (!(each instanceof Error) || depth > maxDepth) return
    const { $metadata, code } = each as Error & { $metadata?: { httpStatusCode?: number }; code?: unknown }
    status ??= $metadata?.httpStatusCode
    if (each.name !== 'Error') names.push(each.name)
    if (typeof code === 'string') names.push(code)
    look(each.cause, depth + 1)
    if (each instanceof AggregateError) for (const inner of each.errors) look(inner, depth + 1)
  }
  look(error, 0)
  return { names, status }
}
