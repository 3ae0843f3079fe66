import { CodedError } from '../../tunnel/net/coded-error.ts'
import { type AwsErrorCode, diagnose, type Place } from '../../tunnel/signalling/aws-errors.ts'
import type { Config } from '../config/load.ts'
import { UsageError } from '../input/usage-error.ts'
import { readOutputs } from './outputs.ts'

/** AWS did not do as asked. */
export class AwsError extends CodedError<AwsErrorCode> {
  override name = 'AwsError'
}

/** Options of every client: each wait on AWS has a limit. */
export const clientOptions = (region: string) => ({
  region,
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 15_000, throwOnRequestTimeout: true },
})

/** Does something with AWS. What it throws is an AwsError whose message begins "could not <doing>: ". */
export async function ask<T>(doing: string, place: Place, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    const { code, message, hint } = diagnose(error, place)
    throw new AwsError(code, `could not ${doing}: ${message}`, { hint, cause: error })
  }
}

/**
 * As `ask`, of a region: one that the account has not enabled knows no credentials, and answers as if they were wrong.
 * When another region takes them, that is the reason.
 */
export async function askRegion<T>(
  region: string,
  doing: string,
  place: Place,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await ask(doing, place, action)
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'E_AWS_CREDENTIALS_INVALID' || region === anyRegion)
      throw error
    const isKnown = await callerIdentity(anyRegion).then(
      () => true,
      () => false,
    )
    if (!isKnown) throw error
    throw new AwsError(
      'E_AWS_REGION_DISABLED',
      `could not ${doing}: the region ${region} is not enabled for the account`,
      {
        hint: `Enable it with "aws account enable-region --region-name ${region}", which takes some minutes, or choose another.`,
        cause: error,
      },
    )
  }
}

/** As `ask`, but undefined where AWS says that it does not exist. */
export async function askIfThere<T>(
  doing: string,
  place: Place,
  action: () => Promise<T>,
): Promise<T | undefined> {
  return ask(doing, place, async () => {
    try {
      return await action()
    } catch (error) {
      if (error instanceof Error && missing.includes(error.name)) return undefined
      throw error
    }
  })
}

/**
 * Makes the configured profile the one that the SDK's clients take, and Terraform's provider. Call it before
 * anything is asked of AWS. Access keys in the environment come before the file's profile, and a profile that
 * an option names before them.
 */
export function useProfile({ values, sources }: Config): void {
  const profile = values['aws.profile']
  if (profile === undefined || (sources['aws.profile'].kind === 'file' && process.env.AWS_ACCESS_KEY_ID))
    return
  process.env.AWS_PROFILE = profile
  for (const variable of accessKey) delete process.env[variable]
}

/**
 * The regions that are configured, or else those that this machine deployed to, or else the one of the AWS profile.
 * Throws a UsageError when there is none.
 */
export async function regionsOf({ values }: Config): Promise<string[]> {
  if (values['aws.regions'].length > 0) return values['aws.regions']
  const deployed = Object.keys((await readOutputs(values['deployment.stack_name']))?.buckets ?? {})
  if (deployed.length > 0) return deployed
  const { STSClient } = await import('@aws-sdk/client-sts')
  try {
    return [await new STSClient({}).config.region()]
  } catch {
    throw new UsageError('no AWS region is known', { code: 'E_REGION_MISSING' })
  }
}

/** The number of the AWS account, and the caller's ARN: the first proof that the credentials work. */
export async function whoAmI(region: string): Promise<{ account: string; arn: string }> {
  const place = { service: 'STS', resource: 'the account' }
  const { Account = '', Arn = '' } = await askRegion(region, 'sign in to AWS', place, () =>
    callerIdentity(region),
  )
  return { account: Account, arn: Arn }
}

/** Any region will do to try credentials. */
export const anyRegion = 'us-east-1'

/** Looks for AWS credentials on this machine, and does not try them. Throws an AwsError when there are none. */
export async function findCredentials(): Promise<void> {
  const { STSClient } = await import('@aws-sdk/client-sts')
  const client = new STSClient({ region: anyRegion })
  try {
    await client.config.credentials()
  } catch (cause) {
    const { code, message, hint } = diagnose(cause, { service: 'STS', resource: 'the account' })
    throw new AwsError(code, message, { hint, cause })
  } finally {
    client.destroy()
  }
}

// --- internal ---

async function callerIdentity(region: string) {
  const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts')
  const client = new STSClient(clientOptions(region))
  try {
    return await client.send(new GetCallerIdentityCommand({}))
  } finally {
    client.destroy()
  }
}

const accessKey = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']
const missing = ['ResourceNotFoundException', 'NoSuchBucket', 'NotFound']
