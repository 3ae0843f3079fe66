import { CodedError } from '../../tunnel/net/coded-error.ts'
import { type AwsErrorCode, diagnose } from '../../tunnel/signalling/aws-errors.ts'

// The one place that reads an error's text. Terraform has no codes: its JSON diagnostics are a summary and a detail in
// English, and what is on standard error is text as well. Words that are not known are passed on as they are.

export type TerraformErrorCode =
  | 'E_TERRAFORM_ACCESS_DENIED'
  | 'E_TERRAFORM_BACKEND'
  /** The account's quota of concurrent functions has no room for the reservation. */
  | 'E_TERRAFORM_CONCURRENCY'
  | 'E_TERRAFORM_CREDENTIALS'
  | 'E_TERRAFORM_DISK_FULL'
  | 'E_TERRAFORM_FAILED'
  | 'E_TERRAFORM_LOCK'
  | 'E_TERRAFORM_NAME_TAKEN'
  | 'E_TERRAFORM_PROVIDER'
  | AwsErrorCode

/** A command of Terraform's failed; the message has its own words. */
export class TerraformError extends CodedError<TerraformErrorCode> {
  override readonly name = 'TerraformError'

  constructor(message: string, complaint: string) {
    const { code, hint } = classify(complaint)
    super(code, message, { hint })
  }
}

/** What Terraform's words come down to. */
export function classify(complaint: string): { code: TerraformErrorCode; hint?: string | undefined } {
  const rule = rules.find(([, text]) => text.test(complaint))
  if (rule) return { code: rule[0] }
  // The AWS provider quotes the service's own code.
  const [, name] = /api error (\w+)/.exec(complaint) ?? []
  if (name === undefined) return { code: 'E_TERRAFORM_FAILED' }
  const error = Object.assign(new Error(), { name })
  const { code, hint } = diagnose(error, { service: 'AWS', resource: 'the account' })
  return code === 'E_AWS_UNEXPECTED' ? { code: 'E_TERRAFORM_FAILED' } : { code, hint }
}

/** Without what stands before the error itself, such as warnings of the CLI configuration. */
export const withoutNoise = (errors: string): string => errors.replace(/^[\s\S]*?Error: /, '').trim()

// --- internal ---

const rules: [TerraformErrorCode, RegExp][] = [
  ['E_TERRAFORM_DISK_FULL', /no space left on device/i],
  ['E_TERRAFORM_LOCK', /state lock/i],
  [
    'E_TERRAFORM_BACKEND',
    /state migration|backend configuration changed|backend initialization required|asking for state/i,
  ],
  [
    'E_TERRAFORM_PROVIDER',
    /query available provider packages|could not connect to registry|install providers?|fetch(ing)? provider/i,
  ],
  ['E_TERRAFORM_CREDENTIALS', /no valid credential sources|no ec2 imds role/i],
  ['E_TERRAFORM_CONCURRENCY', /below its minimum value of \[\d+\]/i],
  ['E_TERRAFORM_ACCESS_DENIED', /AccessDenied|not authorized to perform|explicit deny/i],
  ['E_TERRAFORM_NAME_TAKEN', /AlreadyExists|already exists|AlreadyOwnedByYou/i],
]
