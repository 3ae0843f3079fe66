import { customS3Endpoint } from '../../tunnel/signalling/s3-endpoint.ts'
import { ask, askIfThere, clientOptions } from './aws.ts'

// The parts of a stack as AWS reports them, using only actions that the client's policy grants.

export interface FunctionReport {
  name: string
  arn: string
  state: string
  /** Of the last change: Successful, InProgress or Failed. */
  lastUpdate: string
  /** AWS's reason for a state or a change that is not as it should be. */
  reason: string | null
  runtime: string
  memoryMb: number
  timeoutS: number
  codeBytes: number
  lastModified: string
  /** Null: no cap. */
  reservedConcurrency: number | null
  /** How often AWS runs a failed invocation again; null: not set, which is twice. */
  retries: number | null
}

/** The function; undefined when there is none. */
export async function inspectFunction(region: string, name: string): Promise<FunctionReport | undefined> {
  const { GetFunctionCommand, GetFunctionEventInvokeConfigCommand, LambdaClient } = await import(
    '@aws-sdk/client-lambda'
  )
  const client = new LambdaClient(clientOptions(region))
  const place = { service: 'Lambda', resource: `the function ${name} in ${region}` }
  const FunctionName = name
  const found = await askIfThere('look at the function', place, () =>
    client.send(new GetFunctionCommand({ FunctionName })),
  )
  const invoke =
    found &&
    (await askIfThere('look at how the function is invoked', place, () =>
      client.send(new GetFunctionEventInvokeConfigCommand({ FunctionName })),
    ))
  client.destroy()
  if (!found) return undefined
  const { Configuration: it = {}, Concurrency } = found
  return {
    name,
    arn: it.FunctionArn ?? '',
    state: it.State ?? 'unknown',
    lastUpdate: it.LastUpdateStatus ?? 'unknown',
    reason: it.StateReason ?? it.LastUpdateStatusReason ?? null,
    runtime: it.Runtime ?? 'unknown',
    memoryMb: it.MemorySize ?? 0,
    timeoutS: it.Timeout ?? 0,
    codeBytes: it.CodeSize ?? 0,
    // Lambda writes +0000 where ISO 8601 has Z.
    lastModified: new Date(it.LastModified ?? 0).toISOString(),
    reservedConcurrency: Concurrency?.ReservedConcurrentExecutions ?? null,
    retries: invoke?.MaximumRetryAttempts ?? null,
  }
}

export interface BucketReport {
  name: string
  objects: number
  /** There are more than were counted. */
  more: boolean
  /** When the newest of them was written. */
  lastActivity: string | null
  /** ARNs of the functions that are told of new offers. */
  notifies: string[]
}

/** Beyond this a bucket is not counted: what is a day old expires, so there are rarely hundreds. */
const countLimit = 5_000

/** The bucket, which has to be this account's where one is named; undefined when there is none. */
export async function inspectBucket(
  region: string,
  name: string,
  owner?: string,
): Promise<BucketReport | undefined> {
  const { GetBucketNotificationConfigurationCommand, ListObjectsV2Command, S3Client } = await import(
    '@aws-sdk/client-s3'
  )
  const client = new S3Client({ ...clientOptions(region), forcePathStyle: Boolean(customS3Endpoint()) })
  const place = { service: 'S3', resource: `the bucket ${name}` }
  const bucket = { Bucket: name, ExpectedBucketOwner: owner }
  try {
    return await askIfThere('look at the bucket', place, async () => {
      const dates: number[] = []
      let token: string | undefined
      do {
        const page = await client.send(new ListObjectsV2Command({ ...bucket, ContinuationToken: token }))
        dates.push(...(page.Contents ?? []).map(({ LastModified }) => LastModified?.getTime() ?? 0))
        token = page.NextContinuationToken
      } while (token !== undefined && dates.length < countLimit)
      const { LambdaFunctionConfigurations = [] } = await client.send(
        new GetBucketNotificationConfigurationCommand(bucket),
      )
      return {
        name,
        objects: dates.length,
        more: token !== undefined,
        lastActivity: dates.length === 0 ? null : new Date(Math.max(...dates)).toISOString(),
        notifies: LambdaFunctionConfigurations.map(({ LambdaFunctionArn = '' }) => LambdaFunctionArn),
      }
    })
  } finally {
    client.destroy()
  }
}

export interface Invocations {
  /** The span that is counted, up to now. */
  hours: number
  invocations: number
  errors: number
  throttles: number
}

const hours = 24

/** What CloudWatch counted of the function; it lags by a minute or two. */
export async function countInvocations(region: string, functionName: string): Promise<Invocations> {
  const { CloudWatchClient, GetMetricDataCommand } = await import('@aws-sdk/client-cloudwatch')
  const client = new CloudWatchClient(clientOptions(region))
  const place = { service: 'CloudWatch', resource: `the metrics in ${region}` }
  const query = (id: string, MetricName: string) => ({
    Id: id,
    MetricStat: {
      Metric: {
        Namespace: 'AWS/Lambda',
        MetricName,
        Dimensions: [{ Name: 'FunctionName', Value: functionName }],
      },
      Period: 3600,
      Stat: 'Sum',
    },
  })
  const { MetricDataResults = [] } = await ask('count the invocations', place, () =>
    client.send(
      new GetMetricDataCommand({
        StartTime: new Date(Date.now() - hours * 3_600_000),
        EndTime: new Date(),
        MetricDataQueries: [
          query('invocations', 'Invocations'),
          query('errors', 'Errors'),
          query('throttles', 'Throttles'),
        ],
      }),
    ),
  )
  client.destroy()
  const sum = (id: string) =>
    (MetricDataResults.find(({ Id }) => Id === id)?.Values ?? []).reduce((total, value) => total + value, 0)
  return { hours, invocations: sum('invocations'), errors: sum('errors'), throttles: sum('throttles') }
}
