import { AwsError, whoAmI } from '../deploy/aws.ts'
import { notDeployed } from '../deploy/find.ts'
import { inspectBucket, inspectFunction } from '../deploy/inspect.ts'
import { functionProblems, mend } from '../deploy/problems.ts'
import { findTerraform } from '../deploy/terraform.ts'
import { type Check, type Finding, failure } from './check.ts'
import type { Context } from './context.ts'

const notWithLocal: Finding = { status: 'skip', detail: 'not needed with --local' }

/** Whether AWS takes the credentials, and what is deployed. */
export const awsChecks: Check<Context>[] = [
  {
    name: 'credentials',
    limitMs: 20_000,
    async run({ isLocal, regions }) {
      if (isLocal) return notWithLocal
      const { account, arn } = await whoAmI((await regions())[0]!)
      return { status: 'ok', detail: `account ${account}, as ${arn}`, facts: { account, arn } }
    },
  },
  {
    name: 'terraform',
    limitMs: 30_000,
    async run({ isLocal, config }) {
      if (isLocal) return notWithLocal
      try {
        const { name, version, path } = await findTerraform(config.values['deployment.terraform'])
        return { status: 'ok', detail: `${name} ${version} (${path})`, facts: { name, version, path } }
      } catch (error) {
        // What is deployed runs without it.
        return { ...failure(error), status: 'warn' }
      }
    },
  },
  {
    name: 'deployment',
    after: ['credentials'],
    limitMs: 30_000,
    async run({ isLocal, bucket, stack }) {
      if (isLocal) return notWithLocal
      if (bucket !== undefined) return { status: 'skip', detail: `--bucket names the bucket ${bucket}` }
      const { name, asked, regions } = await stack()
      const functions = await Promise.all(
        asked.map(async region => {
          const { functionName } = regions.get(region) ?? {}
          if (functionName === undefined) throw new Error(notDeployed(name, region, regions))
          const found = await inspectFunction(region, functionName)
          if (!found) throw new Error(`the function ${functionName} in ${region} is gone: ${mend}`)
          return { region, ...found }
        }),
      )
      const problems = functions.flatMap(it => [...functionProblems(it)].map(text => `${it.region}: ${text}`))
      const detail = functions
        .map(({ region, runtime, memoryMb }) => `${name} in ${region}, ${runtime}, ${memoryMb} MB`)
        .join('; ')
      if (problems.length === 0) return { status: 'ok', detail, facts: { functions } }
      return {
        status: 'warn',
        detail: problems.join('; '),
        next: 'Run "lambda-nat-proxy deploy" to mend it; "lambda-nat-proxy status" has the details',
        facts: { functions },
      }
    },
  },
  {
    name: 'bucket',
    after: ['credentials', 'deployment'],
    limitMs: 30_000,
    async run({ isLocal, bucket, regions, stack }) {
      if (isLocal) return notWithLocal
      const named: [string, string | undefined][] =
        bucket !== undefined
          ? [[(await regions())[0]!, bucket]]
          : [...(await stack()).regions].map(([region, found]) => [region, found.bucket])
      try {
        const buckets = await Promise.all(named.map(lookAtBucket))
        const names = buckets.map(({ name }) => name).join(', ')
        return { status: 'ok', detail: `${names}, which tells the function of offers`, facts: { buckets } }
      } catch (error) {
        // Whoever serves in S3's place may not tell as much; a launch will show.
        const isTold = !(error instanceof AwsError) || error.code !== 'E_AWS_UNEXPECTED'
        const next = 'See whether an exit that is launched by it answers'
        return isTold ? failure(error) : { ...failure(error), status: 'warn', next }
      }
    },
  },
]

// --- internal ---

async function lookAtBucket([region, name]: readonly [string, string | undefined]) {
  const found = name === undefined ? undefined : await inspectBucket(region, name)
  if (!found) throw new Error(`there is no bucket ${name ?? ''} in ${region}: ${mend}`)
  if (found.notifies.length === 0)
    throw new Error(`the bucket ${found.name} tells no function of new offers: ${mend}`)
  return { region, ...found }
}
