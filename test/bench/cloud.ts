import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildFunction, type FunctionOptions } from '../../function/build.ts'
import type { Place } from './place.ts'
import { cache, node, type Started, withKey } from './processes.ts'
import { command } from './proxy.ts'

/** The embedded cloud as a process of its own, and what points a client at it. */
export interface Cloud {
  process: Started
  arguments: string[]
  env: Record<string, string>
}

interface Ready {
  endpoint: string
  stunServers: string[]
  buckets: Record<string, string>
  credentials: { accessKeyId: string; secretAccessKey: string }
}

export interface CloudOptions {
  mode?: string | undefined
  /** Of the function, in place of the preferred one. */
  engine?: FunctionOptions['engine']
}

/** Starts S3, STUN and the function on the far side, on Node 24. */
export async function startCloud(
  place: Place,
  { mode = 'normal', engine }: CloudOptions = {},
): Promise<Cloud> {
  const listen = ['--host', place.address.far, '--s3-port', '0', '--stun-port', '0']
  const zip = built.get(engine) ?? buildOnce(engine)
  built.set(engine, zip)
  const function_ = ['--function', await zip, '--mode', mode, '--allow-private', '--node', node]
  const process = command(place, 'far', ['cloud', ...listen, ...function_, '--json'])
  const { endpoint, stunServers, buckets, credentials } = await process.hear(
    'the cloud was ready',
    withKey<Ready>('endpoint'),
  )
  const [[region, bucket] = ['', '']] = Object.entries(buckets)
  return {
    process,
    arguments: ['--bucket', bucket, '--region', region, '--stun', stunServers.join(',')],
    env: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
  }
}

// --- internal ---

/** The functions of this tree by engine, for all clouds of this run: their paths. */
const built = new Map<CloudOptions['engine'], Promise<string>>()

async function buildOnce(engine: CloudOptions['engine']): Promise<string> {
  const { zip } = await buildFunction({ engine })
  mkdirSync(cache, { recursive: true })
  const path = join(cache, `function-${engine ?? 'preferred'}.zip`)
  writeFileSync(path, zip)
  return path
}
