import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteLogGroupCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs'
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  LambdaClient,
  PutFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda'
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutBucketNotificationConfigurationCommand,
  PutBucketTaggingCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { strToU8, zipSync } from 'fflate'

// A stack as terraform/ makes it, as far as the commands look at it, on moto's AWS.

export const region = 'eu-central-1'
export const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }

/** The environment of a client of moto's AWS, with nothing of this machine's own AWS in it. */
export const motoEnvironment = (endpoint: string) => ({
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_SESSION_TOKEN: '',
  AWS_PROFILE: '',
  AWS_REGION: region,
  AWS_ENDPOINT_URL: endpoint,
  AWS_EC2_METADATA_DISABLED: 'true',
})

export const bucketOf = (name: string, inRegion = region) => `${name}-${inRegion}-15e2b0d3`
const tag = (name: string) => ({ 'lambda-nat-proxy:stack': name })

const openClients = (endpoint: string, inRegion: string) => {
  const options = { endpoint, region: inRegion, credentials }
  return {
    s3: new S3Client({ ...options, forcePathStyle: true }),
    lambda: new LambdaClient(options),
    logs: new CloudWatchLogsClient(options),
  }
}

/** Makes the stack in a region; what it gives are the clients, to spoil it with. */
export async function putStack(endpoint: string, name: string, inRegion = region) {
  // moto would run functions in containers; here they have only to be there.
  await fetch(`${endpoint}/moto-api/config`, { method: 'POST', body: '{"lambda":{"use_docker":false}}' })
  await putRole(endpoint, name)
  const clients = openClients(endpoint, inRegion)
  const { s3, lambda, logs } = clients
  const Bucket = bucketOf(name, inRegion)
  const LocationConstraint = inRegion as 'eu-central-1'
  await s3.send(
    new CreateBucketCommand({
      Bucket,
      ...(inRegion !== 'us-east-1' && { CreateBucketConfiguration: { LocationConstraint } }),
    }),
  )
  const TagSet = Object.entries(tag(name)).map(([Key, Value]) => ({ Key, Value }))
  await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }))
  const { FunctionArn } = await lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Role: `arn:aws:iam::123456789012:role/${name}`,
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      MemorySize: 256,
      Timeout: 600,
      Tags: tag(name),
      Code: { ZipFile: zipSync({ 'index.js': strToU8('exports.handler = async () => {}') }) },
    }),
  )
  await lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: name, MaximumRetryAttempts: 0 }))
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: name,
      StatementId: 'offers',
      Action: 'lambda:InvokeFunction',
      Principal: 's3.amazonaws.com',
    }),
  )
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket,
      NotificationConfiguration: {
        LambdaFunctionConfigurations: [{ LambdaFunctionArn: FunctionArn, Events: ['s3:ObjectCreated:Put'] }],
      },
    }),
  )
  await logs.send(new CreateLogGroupCommand({ logGroupName: `/aws/lambda/${name}`, tags: tag(name) }))
  return clients
}

/** Removes the stack and what is in its bucket. */
export async function removeStack(endpoint: string, name: string, inRegion = region): Promise<void> {
  const { s3, lambda, logs } = openClients(endpoint, inRegion)
  const Bucket = bucketOf(name, inRegion)
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }))
  for (const { Key } of Contents) await s3.send(new DeleteObjectCommand({ Bucket, Key }))
  await s3.send(new DeleteBucketCommand({ Bucket }))
  await lambda.send(new DeleteFunctionCommand({ FunctionName: name }))
  await logs.send(new DeleteLogGroupCommand({ logGroupName: `/aws/lambda/${name}` }))
}

/** Writes a line to the function's log. */
export async function putLog(endpoint: string, name: string, message: string): Promise<void> {
  const { logs } = openClients(endpoint, region)
  const stream = { logGroupName: `/aws/lambda/${name}`, logStreamName: 'stream' }
  await logs.send(new CreateLogStreamCommand(stream))
  await logs.send(new PutLogEventsCommand({ ...stream, logEvents: [{ timestamp: Date.now(), message }] }))
}

// --- internal ---

/** moto makes no function without its role. IAM is asked for this one thing, which is not worth a client. */
async function putRole(endpoint: string, name: string): Promise<void> {
  const credential = `${credentials.accessKeyId}/20260101/us-east-1/iam/aws4_request`
  const query = {
    Action: 'CreateRole',
    Version: '2010-05-08',
    RoleName: name,
    AssumeRolePolicyDocument: '{}',
  }
  await fetch(endpoint, {
    method: 'POST',
    headers: { Authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0` },
    body: new URLSearchParams(query),
  })
}
