import { diagnose } from '../../tunnel/signalling/aws-errors.ts'

/** What a person can do about what Terraform complains of; nothing where its own words are all that is known. */
export function advise(complaint: string, folder: string): string {
  const rule = rules.find(({ text }) => text.test(complaint))
  if (rule) return rule.advice(folder)
  const error = Object.assign(new Error(complaint), {
    name: /api error (\w+)/.exec(complaint)?.[1] ?? 'Error',
  })
  const { code, message, hint = '' } = diagnose(error, { service: 'AWS', resource: 'the account' })
  return code === 'E_AWS_UNEXPECTED' ? '' : `${capital(message)}. ${hint}`
}

// --- internal ---

const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1)

const rules: { text: RegExp; advice: (folder: string) => string }[] = [
  {
    text: /no space left on device/i,
    advice: () => 'The disk is full. Make room and run this again: what was made is not made twice.',
  },
  {
    text: /state lock/i,
    advice: folder =>
      `Another Terraform works on this stack. If none does, "terraform -chdir=${folder} force-unlock <ID>" takes its lock away.`,
  },
  {
    text: /state migration|backend configuration changed|backend initialization required|asking for state/i,
    advice: folder =>
      `The stack's state is elsewhere than these backend settings say. Move it with "terraform -chdir=${folder} init -migrate-state", then run this again.`,
  },
  {
    text: /query available provider packages|could not connect to registry|install providers?|fetch(ing)? provider/i,
    advice: () =>
      'The AWS provider cannot be had. Check the network and the proxy settings, or name a mirror in the Terraform CLI configuration (provider_installation), and run this again.',
  },
  {
    text: /no valid credential sources|no ec2 imds role/i,
    advice: () =>
      'Terraform found no AWS credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  },
  {
    text: /below its minimum value of \[\d+\]/i,
    advice: () =>
      "The account's quota of concurrent functions has no room for this reservation. Set TF_VAR_reserved_concurrency to less, or ask for a higher quota (Service Quotas, AWS Lambda, Concurrent executions), and run this again.",
  },
  {
    text: /AccessDenied|not authorized to perform|explicit deny/i,
    advice: folder =>
      'These credentials may not do that. To deploy takes the right to make S3 buckets, Lambda functions, log groups and an IAM role. ' +
      `${folder}/deployer-policy.json is the least policy for it. ` +
      'Get it and run this again, or give the module in terraform/ to somebody who has it.',
  },
  {
    text: /AlreadyExists|already exists|AlreadyOwnedByYou/i,
    advice: () =>
      'Something of that name is there, and this state does not know it: another machine may have deployed it. Deploy from there, or take another name with --name.',
  },
]
