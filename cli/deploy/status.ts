import type { Config } from '../config/load.ts'
import { type Found, findStack, notDeployed, type Stack } from './find.ts'
import {
  type BucketReport,
  countInvocations,
  type FunctionReport,
  type Invocations,
  inspectBucket,
  inspectFunction,
} from './inspect.ts'
import { functionProblems, invocationProblems, type Problem } from './problems.ts'

export type Health = 'HEALTHY' | 'DEGRADED' | 'NOT DEPLOYED'

export interface RegionStatus {
  region: string
  health: Health
  /** What keeps it from being healthy. */
  problems: Problem[]
  function: FunctionReport | null
  bucket: BucketReport | null
  recent: Invocations | null
}

export interface StackStatus {
  stack: string
  health: Health
  regions: RegionStatus[]
}

/** The state of the stack in each region. Throws what findStack throws, and an AwsError where AWS denies access. */
export async function stackStatus(config: Config): Promise<StackStatus> {
  const stack = await findStack(config)
  const statuses = await Promise.all(stack.asked.map(region => regionStatus(region, stack)))
  const healths = new Set(statuses.map(({ health }) => health))
  return { stack: stack.name, health: healths.size === 1 ? [...healths][0]! : 'DEGRADED', regions: statuses }
}

// --- internal ---

async function regionStatus(region: string, { name, regions }: Stack): Promise<RegionStatus> {
  const { bucket, functionName, account }: Found = regions.get(region) ?? {}
  const [itsFunction, itsBucket] = await Promise.all([
    functionName === undefined ? undefined : inspectFunction(region, functionName),
    bucket === undefined ? undefined : inspectBucket(region, bucket, account),
  ])
  if (!itsFunction && !itsBucket) {
    const { message } = notDeployed(name, region, regions)
    const problems: Problem[] = [{ code: 'E_NOT_DEPLOYED', message }]
    return { region, health: 'NOT DEPLOYED', problems, function: null, bucket: null, recent: null }
  }
  const recent = itsFunction ? await countInvocations(region, itsFunction.name) : null
  const problems: Problem[] = [
    ...(itsFunction
      ? functionProblems(itsFunction)
      : [{ code: 'E_FUNCTION_MISSING', message: `the function ${functionName ?? ''} is gone` } as const]),
    ...(itsBucket
      ? []
      : [{ code: 'E_BUCKET_MISSING', message: `the bucket ${bucket ?? ''} is gone` } as const]),
    ...(itsFunction && itsBucket && !itsBucket.notifies.includes(itsFunction.arn)
      ? [
          {
            code: 'E_NOTIFICATION_MISSING',
            message: 'the bucket does not notify the function of new offers',
          } as const,
        ]
      : []),
    ...(recent ? invocationProblems(recent) : []),
  ]
  return {
    region,
    health: problems.length === 0 ? 'HEALTHY' : 'DEGRADED',
    problems,
    function: itsFunction ?? null,
    bucket: itsBucket ?? null,
    recent,
  }
}
