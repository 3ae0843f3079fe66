import { join } from 'node:path'
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { type Cloud, type CloudOptions, startCloud } from '../../cli/cloud/cloud.ts'
import type { LogRecord } from '../../cli/cloud/log.ts'
import { functionZip } from './function-zip.ts'
import { type LocalProxy, launchProxy, startProxy } from './local-proxy.ts'
import { type S3StandIn, startS3StandIn } from './s3-stand-in.ts'
import { until } from './until.ts'

// The embedded cloud in the test's own process, where it can be spoilt, and a proxy that knows it as it would know
// AWS: by a bucket, an endpoint and STUN servers.

export interface LocalCloud {
  cloud: Cloud
  bucket: string
  region: string
  /** Between the proxy and S3; the function goes to S3 itself. */
  s3: S3StandIn
  /** The function's log. */
  log: LogRecord[]
  /** The next record with this message that fits, told already or to come. */
  logged(message: string, fits?: (record: LogRecord) => boolean): Promise<LogRecord>
  /** The proxy, ready; `stun` and `env` in place of the cloud's own. */
  proxy(options?: ProxyChoices): Promise<LocalProxy>
  /** The same, not waited for. */
  launch(options?: ProxyChoices): Promise<LocalProxy>
  /** A client of its S3. */
  client: S3Client
  /** Keys in the bucket. */
  keys(): Promise<string[]>
  /** Ends the process of this session's function, without a word to anybody. */
  kill(session: string): void
  /** The event that S3 sends for an offer. */
  eventOf(id: string, eventTime?: Date): object
  close(): Promise<void>
}

export interface ProxyChoices {
  args?: readonly string[]
  /** A deployment to look for by this name, in place of the bucket. */
  deployment?: string
  stun?: string
  env?: Record<string, string | undefined>
  command?: readonly string[]
}

const region = 'local-1'

export async function startLocalCloud(options: Partial<CloudOptions> = {}): Promise<LocalCloud> {
  const log: LogRecord[] = []
  const cloud = await startCloud({
    functionZip: functionZip(),
    node: join(import.meta.dir, '../../node_modules/node/bin/node'),
    regions: [region],
    allowPrivate: true,
    onLog: record => log.push(record),
    ...options,
  })
  const s3 = await startS3StandIn(cloud.endpoint)
  const proxies: LocalProxy[] = []
  const bucket = cloud.buckets.get(region)!
  const local = ({
    args = [],
    deployment,
    stun = cloud.stunServers.join(','),
    env,
    command,
  }: ProxyChoices) => ({
    args: [
      ...(deployment ? ['--name', deployment] : ['--bucket', bucket]),
      '--region',
      region,
      '--stun',
      stun,
      ...args,
    ],
    env: {
      AWS_ENDPOINT_URL: s3.endpoint,
      AWS_ACCESS_KEY_ID: cloud.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: cloud.credentials.secretAccessKey,
      ...env,
    },
    ...(command && { command }),
  })
  const kept = (proxy: LocalProxy) => {
    proxies.push(proxy)
    return proxy
  }
  const client = new S3Client({
    endpoint: cloud.endpoint,
    region,
    credentials: cloud.credentials,
    forcePathStyle: true,
  })

  return {
    cloud,
    bucket,
    region,
    s3,
    log,
    async logged(message, fits = () => true) {
      const find = () => log.find(record => record.message === message && fits(record))
      await until(() => find() !== undefined, `"${message}" in the function's log`)
      return find()!
    },
    proxy: async (choices = {}) => kept(await startProxy(local(choices))),
    launch: async (choices = {}) => kept(await launchProxy(local(choices))),
    client,
    async keys() {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }))
      return Contents.map(({ Key }) => Key!)
    },
    kill(session) {
      const process = cloud.processes().find(each => each.session === session)
      if (!process || !cloud.kill(process.pid)) throw new Error(`no function has the session ${session}`)
    },
    eventOf: (id, eventTime = new Date()) => ({
      Records: [
        {
          eventVersion: '2.1',
          eventSource: 'aws:s3',
          eventName: 'ObjectCreated:Put',
          eventTime: eventTime.toISOString(),
          awsRegion: region,
          s3: { bucket: { name: bucket }, object: { key: `sessions/${id}/offer.json` } },
        },
      ],
    }),
    async close() {
      await Promise.all(proxies.map(proxy => proxy.close()))
      client.destroy()
      s3.close()
      await cloud.close()
    },
  }
}
