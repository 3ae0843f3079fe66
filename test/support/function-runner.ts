import { join } from 'node:path'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { strToU8, zipSync } from 'fflate'
import { suite, type Test } from 'uvu'
import { type Cloud, type CloudOptions, startCloud } from '../../cli/cloud/cloud.ts'
import type { LogRecord } from '../../cli/cloud/log.ts'

const node = join(import.meta.dir, '../../node_modules/node/bin/node')

/** A function that does what its event says. */
const source = `
let events = 0
exports.handler = async (event, context) => {
  events += 1
  switch (event.do) {
    case 'throw': throw new TypeError('as the event said')
    case 'exit': process.exit(7)
    case 'hang': console.log('hanging'); return new Promise(() => setInterval(() => {}, 1000))
    case 'block': for (;;) {}
    case 'print': console.log(JSON.stringify({ level: 'DEBUG', message: 'in JSON', session: 's' })); console.log('{plain'); console.error('wrong'); return
    default: return {
      event, events, pid: process.pid, version: process.version, env: process.env,
      context: { ...context, remaining: context.getRemainingTimeInMillis() },
    }
  }
}`

export const zipOf = (text: string) =>
  zipSync({ 'index.js': strToU8(text), 'folder/data.txt': strToU8('data') })

interface Report {
  event: unknown
  events: number
  pid: number
  version: string
  env: Record<string, string>
  context: Record<string, unknown>
}

export interface RunnerContext {
  start: (options?: Partial<CloudOptions>) => Promise<Cloud>
  clouds: Cloud[]
  logs: LogRecord[]
}

/** A suite whose tests start embedded clouds for a function that does what its event says; they are closed after each. */
export function runnerSuite(name: string): Test<RunnerContext> {
  const test = suite<RunnerContext>(name)
  test.before.each(context => {
    context.logs = []
    context.clouds = []
    context.start = async options => {
      const onLog = (record: LogRecord) => context.logs.push(record)
      const cloud = await startCloud({ functionZip: zipOf(source), node, prewarm: 0, onLog, ...options })
      context.clouds.push(cloud)
      return cloud
    }
  })

  test.after.each(async ({ clouds }) => {
    await Promise.all(clouds.map(cloud => cloud.close()))
  })
  return test
}

/** What the function returned for this event. */
export async function report(cloud: Cloud, event: unknown = {}, region?: string): Promise<Report> {
  const outcome = await cloud.deliver(event, region)
  if (outcome.status !== 'success') throw new Error(outcome.error.errorMessage)
  return outcome.result as Report
}

/** How it failed. */
export async function failure(cloud: Cloud, event: unknown, region?: string) {
  const outcome = await cloud.deliver(event, region)
  if (outcome.status === 'success') throw new Error('the event was to fail')
  return { status: outcome.status, pid: outcome.pid, ...outcome.error }
}

/** Puts documents into the bucket of a region, as a client of the proxy does. */
export async function putIn(cloud: Cloud, region: string, ...keys: string[]): Promise<void> {
  const { endpoint, credentials } = cloud
  const client = new S3Client({ endpoint, credentials, region, forcePathStyle: true })
  const Bucket = cloud.buckets.get(region)
  for (const Key of keys) await client.send(new PutObjectCommand({ Bucket, Key, Body: '{}' }))
  client.destroy()
}
