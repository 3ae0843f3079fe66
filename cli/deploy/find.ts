import type { Config } from '../config/load.ts'
import { askRegion, clientOptions, regionsOf, useProfile } from './aws.ts'
import { DeployError } from './errors.ts'
import { readOutputs } from './outputs.ts'

/** The parts of a stack in a region; after a partial deploy or destroy, or a manual change, one may be missing. */
export interface Found {
  bucket?: string
  functionName?: string
  /** The number of the AWS account that they are in, where it is known. */
  account?: string | undefined
}

/** What was found of a stack, by region. */
export interface Stack {
  name: string
  /** The regions that were looked in. */
  asked: string[]
  regions: Map<string, Found>
  /** When this machine changed it last, where it did. Milliseconds since 1970. */
  changedAt?: number | undefined
}

/** A stack that a client can use. */
export interface Deployment {
  name: string
  regions: Map<string, Found & { bucket: string; functionName: string }>
  changedAt?: number | undefined
}

/** The tag that everything in a stack has, with the stack's name. */
const stackTag = 'lambda-nat-proxy:stack'

/**
 * What is deployed in the configured regions under the configured name. Throws a DeployError that says where nothing
 * is found.
 */
export async function findDeployment(config: Config): Promise<Deployment> {
  const { name, asked, regions, changedAt } = await findStack(config)
  const complete = asked.map(region => {
    const { bucket, functionName, account } = regions.get(region) ?? {}
    if (bucket !== undefined && functionName !== undefined)
      return [region, { bucket, functionName, account }] as const
    if (bucket === undefined && functionName === undefined) throw notDeployed(name, region, regions)
    const lacking = bucket === undefined ? 'bucket' : 'function'
    throw new DeployError('E_STACK_INCOMPLETE', `the stack ${name} in region ${region} has no ${lacking}`)
  })
  return { name, regions: new Map(complete), changedAt }
}

/** Looks for the stack: in Terraform's state where it is on this machine, and otherwise in AWS by the tag. */
export async function findStack(config: Config): Promise<Stack> {
  useProfile(config)
  const name = config.values['deployment.stack_name']
  const asked = await regionsOf(config)
  const outputs = await readOutputs(name)
  const found = outputs
    ? Object.entries(outputs.buckets).map(([region, bucket]) => {
        const { name, arn } = outputs.functions[region] ?? {}
        return [
          region,
          { bucket, ...(name !== undefined && { functionName: name }), account: accountOf(arn) },
        ] as const
      })
    : await Promise.all(asked.map(async region => [region, await findByTag(name, region)] as const))
  const there = found.filter(([, { bucket, functionName }]) => bucket ?? functionName)
  return { name, asked, regions: new Map<string, Found>(there), changedAt: outputs?.changedAt }
}

/** Says that nothing is there, and where else the stack is, if that is known. */
export function notDeployed(name: string, region: string, regions: Map<string, Found>): DeployError {
  const others = [...regions.keys()].filter(other => other !== region)
  const elsewhere = others.length > 0 ? ` (it is in ${others.join(', ')})` : ''
  return new DeployError(
    'E_NOT_DEPLOYED',
    `nothing is deployed under the name ${name} in region ${region}${elsewhere}`,
  )
}

// --- internal ---

/** The account in the ARN of a function. */
const accountOf = (arn = '') => /^arn:[^:]+:lambda:[^:]+:(\d{12}):/.exec(arn)?.[1]

async function findByTag(name: string, region: string): Promise<Found> {
  const { paginateGetResources, ResourceGroupsTaggingAPIClient } = await import(
    '@aws-sdk/client-resource-groups-tagging-api'
  )
  const client = new ResourceGroupsTaggingAPIClient(clientOptions(region))
  const place = { service: 'The Resource Groups Tagging API', resource: `the tags in ${region}` }
  return askRegion(region, `look for the stack ${name} in ${region}`, place, async () => {
    const found: Found = {}
    const query = {
      TagFilters: [{ Key: stackTag, Values: [name] }],
      ResourceTypeFilters: ['s3', 'lambda:function'],
    }
    for await (const { ResourceTagMappingList = [] } of paginateGetResources({ client }, query))
      for (const { ResourceARN = '' } of ResourceTagMappingList) {
        const [, , service, , account, kind = '', functionName] = ResourceARN.split(':')
        if (service === 's3' && kind.includes(`${name}-${region}-`)) found.bucket = kind
        if (service === 'lambda' && functionName !== undefined)
          Object.assign(found, { functionName, account })
      }
    client.destroy()
    return found
  })
}
