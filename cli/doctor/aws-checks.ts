import { AwsError, anyRegion, whoAmI } from '../deploy/aws.ts'
import { DeployError } from '../deploy/errors.ts'
import { notDeployed } from '../deploy/find.ts'
import { inspectBucket, inspectFunction } from '../deploy/inspect.ts'
import { functionProblems } from '../deploy/problems.ts'
import { findTerraform } from '../deploy/terraform.ts'
import { type Check, type Finding, failure } from './check.ts'
import type { Context } from './context.ts'

const notWithLocal: Finding = { status: 'skip', message: 'not needed with --local' }

/** Whether AWS takes the credentials, and what is deployed. */
export const awsChecks: Check<Context>[] = [
  {
    name: 'region',
    limitMs: 20_000,
    async run({ isLocal, regions }) {
      if (isLocal) return notWithLocal
      const found = await regions()
      return { status: 'ok', message: found.join(', '), facts: { regions: found } }
    },
  },
  {
    name: 'credentials',
    limitMs: 20_000,
    async run({ isLocal, regions }) {
      if (isLocal) return notWithLocal
      // Without a region they can be tried all the same.
      const [region = anyRegion] = await regions().catch(() => [])
      const { account, arn } = await whoAmI(region)
      return { status: 'ok', message: `account ${account}, as ${arn}`, facts: { account, arn } }
    },
  },
  {
    name: 'terraform',
    limitMs: 30_000,
    async run({ isLocal, config }) {
      if (isLocal) return notWithLocal
      try {
        const { name, version, path } = await findTerraform(config.values['deployment.terraform'])
        return { status: 'ok', message: `${name} ${version} (${path})`, facts: { name, version, path } }
      } catch (error) {
        // What is deployed runs without it.
        return { ...failure(error), status: 'warn' }
      }
    },
  },
  {
    name: 'deployment',
    after: ['region', 'credentials'],
    limitMs: 30_000,
    async run({ isLocal, bucket, stack }) {
      if (isLocal) return notWithLocal
      if (bucket !== undefined)
        return { status: 'skip', message: `not needed: the bucket ${bucket} is given` }
      const { name, asked, regions } = await stack()
      const functions = await Promise.all(
        asked.map(async region => {
          const { functionName } = regions.get(region) ?? {}
          if (functionName === undefined) throw notDeployed(name, region, regions)
          const found = await inspectFunction(region, functionName)
          if (!found)
            throw new DeployError('E_STACK_INCOMPLETE', `the function ${functionName} in ${region} is gone`)
          return { region, ...found }
        }),
      )
      const problems = functions.flatMap(it =>
        [...functionProblems(it)].map(({ message }) => `${it.region}: ${message}`),
      )
      const message = functions
        .map(({ region, runtime, memoryMb }) => `${name} in ${region}, ${runtime}, ${memoryMb} MB`)
        .join('; ')
      if (problems.length === 0) return { status: 'ok', message, facts: { functions } }
      return {
        status: 'warn',
        code: 'E_STACK_PROBLEMS',
        message: problems.join('; '),
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
        return {
          status: 'ok',
          message: `${names}, which notifies the function of offers`,
          facts: { buckets },
        }
      } catch (error) {
        // A server in S3's place may not say as much; a launch will show.
        const isTold = !(error instanceof AwsError) || error.code !== 'E_AWS_UNEXPECTED'
        return isTold ? failure(error) : { ...failure(error), status: 'warn', code: 'E_BUCKET_UNTOLD' }
      }
    },
  },
]

// --- internal ---

async function lookAtBucket([region, name]: readonly [string, string | undefined]) {
  const found = name === undefined ? undefined : await inspectBucket(region, name)
  if (!found) throw new DeployError('E_STACK_INCOMPLETE', `there is no bucket ${name ?? ''} in ${region}`)
  if (found.notifies.length === 0)
    throw new DeployError('E_STACK_INCOMPLETE', `the bucket ${found.name} notifies no function of new offers`)
  return { region, ...found }
}
