import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildFunction } from '../../function/build.ts'
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

/** Starts S3, STUN and the function on the far side; the function in this mode, on Node 24. */
export async function startCloud(place: Place, mode = 'normal'): Promise<Cloud> {
  const listen = ['--host', place.address.far, '--s3-port', '0', '--stun-port', '0']
  built ??= buildOnce()
  const function_ = ['--function', await built, '--mode', mode, '--allow-private', '--node', node]
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

let built: Promise<string> | undefined

/** The function of this tree, for all clouds of this run; its path. */
async function buildOnce(): Promise<string> {
  const { zip } = await buildFunction()
  mkdirSync(cache, { recursive: true })
  const path = join(cache, 'function.zip')
  writeFileSync(path, zip)
  return path
}
