import { readFile } from 'node:fs/promises'
import { defineCommand } from 'citty'
import { consola } from 'consola'
import { type Mode, modes } from '../../function/modes.ts'
import type { Cloud } from '../cloud/cloud.ts'
import type { LogRecord } from '../cloud/log.ts'
import { functionZip } from '../deploy/function-zip.ts'
import { parsePort } from '../input/port.ts'
import { UsageError } from '../input/usage-error.ts'
import { interruptible, whenAborted } from './interrupt.ts'

export default defineCommand({
  meta: {
    name: 'cloud',
    description:
      'Run the embedded cloud on its own: S3, STUN and the function, for clients that are told where it is.',
  },
  args: {
    host: {
      type: 'string',
      default: '127.0.0.1',
      valueHint: 'address',
      description: 'IPv4 address to listen on',
    },
    's3-port': {
      type: 'string',
      default: '4568',
      valueHint: 'port',
      description: 'TCP port of S3, 0 for any free',
    },
    'stun-port': {
      type: 'string',
      default: '3478',
      valueHint: 'port',
      description: 'UDP port of STUN, 0 for any free',
    },
    regions: {
      type: 'string',
      alias: 'region',
      default: 'local-1',
      valueHint: 'a,b',
      description: 'Names of the regions; each has its own bucket and function',
    },
    mode: {
      type: 'enum',
      options: Object.keys(modes),
      default: 'normal',
      description: "The function's memory figure and time limit",
    },
    'allow-private': {
      type: 'boolean',
      default: false,
      description: 'Let the function reach private and loopback addresses',
    },
    'log-level': {
      type: 'enum',
      options: ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'],
      default: 'INFO',
      description: "Least level of the function's log",
    },
    node: {
      type: 'string',
      valueHint: 'path',
      description: 'Node to run the function on (default: node on PATH, or Bun)',
    },
    function: {
      type: 'string',
      valueHint: 'path',
      description: 'function.zip to run (default: built from this release)',
    },
    json: { type: 'boolean', default: false, description: 'One JSON object a line in place of text' },
  },
  async run({ args }) {
    const show = args.json ? json : human
    // Loaded when it is needed: --help is quicker without.
    const { startCloud } = await import('../cloud/cloud.ts')
    const options = {
      s3Port: parsePort('--s3-port', args['s3-port']),
      stunPort: parsePort('--stun-port', args['stun-port']),
      functionZip: await (args.function === undefined ? functionZip() : readZip(args.function)),
      host: args.host,
      regions: args.regions.split(',').map(region => region.trim()),
      mode: args.mode as Mode,
      allowPrivate: args['allow-private'],
      logLevel: args['log-level'],
      node: args.node,
      onLog: show.log,
    }
    await interruptible(async signal => {
      const starting = startCloud(options)
      try {
        show.ready(await Promise.race([starting, whenAborted(signal)]), args.host)
        await whenAborted(signal)
      } finally {
        // A cloud that is half up is closed, too.
        const cloud = await starting.catch(() => undefined)
        await cloud?.close()
        if (cloud) show.closed()
      }
    }, 0)
  },
})

// --- internal ---

async function readZip(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new UsageError(`--function ${path} cannot be read: ${(error as Error).message}`)
  }
}

interface Reporter {
  ready(cloud: Cloud, host: string): void
  log(record: LogRecord): void
  closed(): void
}

const human: Reporter = {
  ready({ endpoint, stunServers, buckets, credentials }, host) {
    const [[region, bucket] = []] = buckets
    consola.success(`The embedded cloud is ready: S3 on ${endpoint}, STUN on ${stunServers}`)
    consola.log(`Buckets: ${[...buckets.values()].join(', ')}`)
    consola.log(`
A client is pointed at it by

  AWS_ENDPOINT_URL=${endpoint} AWS_ACCESS_KEY_ID=${credentials.accessKeyId} AWS_SECRET_ACCESS_KEY=${credentials.secretAccessKey} \\
    lambda-nat-proxy run --region ${region} --bucket ${bucket} --stun ${stunServers}
`)
    if (!host.startsWith('127.'))
      consola.warn(`Whoever reaches ${host} can use it: its key pair is no secret.`)
  },
  log({ timestamp, level, message, region, pid, requestId, ...fields }) {
    const details = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    consola.log([timestamp, level, `${region}/${pid}`, message, ...details].join(' '))
  },
  closed: () => consola.success('Closed.'),
}

const line = (type: string, fields: object = {}) =>
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), type, ...fields })}\n`)

const json: Reporter = {
  ready: ({ endpoint, stunServers, buckets, credentials }) =>
    line('cloud.ready', { endpoint, stunServers, buckets: Object.fromEntries(buckets), credentials }),
  log: record => line('function.log', { record }),
  closed: () => line('cloud.closed'),
}
