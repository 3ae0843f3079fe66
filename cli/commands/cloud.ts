import { defineCommand } from 'citty'
import { consola } from 'consola'
import { type Mode, modes } from '../../function/modes.ts'
import type { Cloud } from '../cloud/cloud.ts'
import type { LogRecord } from '../cloud/log.ts'
import { localFunctionZip } from '../deploy/function-zip.ts'
import { readList } from '../input/list.ts'
import { isLoopback } from '../input/loopback.ts'
import { readGivenFile } from '../input/read-file.ts'
import { UsageError } from '../input/usage-error.ts'
import { whenAborted } from '../input/when-aborted.ts'
import { readWhole } from '../input/whole-number.ts'
import { exitCodes } from '../output/exit-codes.ts'
import { describe } from '../output/help.ts'
import { logLine } from '../output/log-line.ts'
import { interruptible } from './interrupt.ts'

export default defineCommand({
  meta: describe({
    name: 'cloud',
    description:
      'Run the embedded cloud alone: S3, STUN and the function on this machine, for clients that are pointed at it.',
    exits: {
      done: 'ended by Ctrl-C, SIGTERM or a closed terminal',
      interrupted: 'ended at once by a second signal',
    },
    examples: [['cloud --allow-private', 'Its exits may reach this machine']],
  }),
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
      description: 'TCP port of S3, 0 for any free one',
    },
    'stun-port': {
      type: 'string',
      default: '3478',
      valueHint: 'port',
      description: 'UDP port of STUN, 0 for any free one',
    },
    regions: {
      type: 'string',
      alias: 'region',
      default: 'local-1',
      valueHint: 'a,b',
      description: 'Names of the regions, separated by commas; each has its own bucket and function',
    },
    mode: {
      type: 'enum',
      options: Object.keys(modes),
      default: 'normal',
      description: 'Memory and time limit of the function',
    },
    'allow-private': {
      type: 'boolean',
      default: false,
      description: 'Let the exits reach private and loopback addresses',
    },
    'log-level': {
      type: 'enum',
      options: ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'],
      default: 'INFO',
      description: "Lowest level of the function's log that is printed",
    },
    node: {
      type: 'string',
      valueHint: 'path',
      description: 'Node.js to run the function with (default: node on PATH, or Bun)',
    },
    function: {
      type: 'string',
      valueHint: 'path',
      description: 'function.zip to run (default: built from this release)',
    },
    json: { type: 'boolean', default: false, description: 'Print JSON, one object a line' },
  },
  async run({ args }) {
    const show = args.json ? json : human
    // Loaded when it is needed: --help is quicker without.
    const { startCloud } = await import('../cloud/cloud.ts')
    const options = {
      s3Port: parsePort('--s3-port', args['s3-port']),
      stunPort: parsePort('--stun-port', args['stun-port']),
      functionZip: await (args.function === undefined ? localFunctionZip() : readZip(args.function)),
      host: args.host,
      regions: readList(args.regions),
      mode: args.mode as Mode,
      allowPrivate: args['allow-private'],
      logLevel: args['log-level'],
      node: args.node,
      onLog: show.log,
    }
    const ends = { exitCode: exitCodes.done }
    await interruptible(async signal => {
      const cloud = await startCloud({ ...options, signal })
      try {
        show.ready(cloud, args.host)
        await whenAborted(signal)
      } finally {
        await cloud.close()
        show.closed()
      }
    }, ends)
  },
})

// --- internal ---

/** Of a function's zip; Lambda takes 50 MB. Bytes. */
const maxZipBytes = 64 * 1024 * 1024

const readZip = (path: string): Promise<Uint8Array> =>
  readGivenFile(path, { subject: `--function ${path}`, maxBytes: maxZipBytes })

interface Reporter {
  ready(cloud: Cloud, host: string): void
  log(record: LogRecord): void
  closed(): void
}

const human: Reporter = {
  ready({ endpoint, stunServers, buckets, credentials }, host) {
    const [[region, bucket] = []] = buckets
    consola.success(`Embedded cloud ready: S3 on ${endpoint}, STUN on ${stunServers}`)
    consola.log(`Buckets: ${[...buckets.values()].join(', ')}`)
    consola.log(`
To use it from a client:

  AWS_ENDPOINT_URL=${endpoint} AWS_ACCESS_KEY_ID=${credentials.accessKeyId} AWS_SECRET_ACCESS_KEY=${credentials.secretAccessKey} \\
    lambda-nat-proxy run --region ${region} --bucket ${bucket} --stun ${stunServers}
`)
    if (!isLoopback(host))
      consola.warn(`S3 is plain HTTP on ${host}: others on its network can read offers and answers.`)
  },
  log({ timestamp, level, message, region, pid, requestId, ...fields }) {
    const details = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    consola.log(logLine([timestamp, level, `${region}/${pid}`, message, ...details].join(' ')))
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

/** Reads a port from an option. Throws a UsageError that names the option. */
function parsePort(option: string, text: string): number {
  const port = readWhole(text, 0, 65_535)
  if (port !== undefined) return port
  throw new UsageError(`${option} ${text} is not a port: give a number from 0 to 65535, 0 for any free one`)
}
