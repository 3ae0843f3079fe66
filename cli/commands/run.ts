import { defineCommand } from 'citty'
import { openBucket } from '../../tunnel/signal/bucket.ts'
import { defaultStunServers, parseStunServers } from '../../tunnel/stun/server-name.ts'
import { createEvents, type Events } from '../events.ts'
import { keepSession } from '../fleet/keeper.ts'
import { functionZip } from '../function-zip.ts'
import { type Cloud, startCloud } from '../local/cloud.ts'
import { parsePort } from '../parse-port.ts'
import { listen } from '../proxy/listener.ts'
import { showHuman, showJson } from '../show.ts'
import { untilInterrupted } from '../until-interrupted.ts'
import { UsageError } from '../usage-error.ts'

export default defineCommand({
  meta: { name: 'run', description: 'Start the proxy: launch an exit and listen for SOCKS5 clients.' },
  args: {
    port: {
      type: 'string',
      default: '1080',
      valueHint: 'port',
      description: 'TCP port of the SOCKS5 listener, 0 for any free',
    },
    host: { type: 'string', default: '127.0.0.1', valueHint: 'address', description: 'Address to listen on' },
    bucket: { type: 'string', valueHint: 'name', description: 'Signalling bucket of the deployment' },
    region: {
      type: 'string',
      valueHint: 'name',
      description: 'AWS region of the bucket (default: AWS_REGION or the profile)',
    },
    stun: {
      type: 'string',
      valueHint: 'host:port,…',
      description: `STUN servers, tried in turn (default: ${defaultStunServers.join(',')})`,
    },
    local: {
      type: 'boolean',
      default: false,
      description: 'Run against the embedded cloud on this machine; needs no AWS account',
    },
    'allow-private': {
      type: 'boolean',
      default: false,
      description: 'With --local: let the exit reach private and loopback addresses',
    },
    json: { type: 'boolean', default: false, description: 'One JSON object a line in place of text' },
    verbose: {
      type: 'boolean',
      default: false,
      description: 'Show each connection, the set-up times and the function’s log',
    },
  },
  async run({ args }) {
    const port = parsePort('--port', args.port)
    const stun = args.stun === undefined ? undefined : usage(() => parseStunServers(args.stun!))
    if (args.local && args.bucket) throw new UsageError('--local has a bucket of its own: leave out --bucket')
    if (args['allow-private'] && !args.local)
      throw new UsageError(
        '--allow-private goes with --local; a deployment allows private targets by its variable allow_private',
      )
    if (!args.local && !args.bucket)
      throw new UsageError('no bucket is given: name one with --bucket, or try --local')

    const events = createEvents()
    events.subscribe(args.json ? showJson : showHuman(args.verbose))
    const cloud = args.local ? await localCloud(events, args['allow-private'], args.verbose) : undefined
    const region = cloud ? [...cloud.buckets.keys()][0]! : args.region
    const bucket = openBucket(
      cloud
        ? {
            bucket: cloud.buckets.get(region!)!,
            region,
            endpoint: cloud.endpoint,
            credentials: cloud.credentials,
          }
        : { bucket: args.bucket!, region },
    )
    const stunServers = stun ?? parseStunServers((cloud?.stunServers ?? defaultStunServers).join(','))
    const keeper = keepSession({
      bucket,
      region: region ?? process.env.AWS_REGION ?? 'the default region',
      stunServers,
      events,
    })
    const proxy = await listenOrClose()
    announceOnce(events, args.host, proxy.port)

    await untilInterrupted(async () => {
      proxy.close()
      await keeper.close()
      bucket.close()
      await cloud?.close()
    })

    async function listenOrClose() {
      try {
        return listen({ host: args.host, port, exits: keeper, events })
      } catch (error) {
        await keeper.close()
        await cloud?.close()
        throw error
      }
    }
  },
})

// --- internal ---

/** Says that the proxy is ready, once, when the first exit is up. */
function announceOnce(events: Events, host: string, port: number): void {
  const unsubscribe = events.subscribe(event => {
    if (event.type !== 'session.ready') return
    unsubscribe()
    events.emit({ type: 'proxy.ready', host, port, address: event.address })
  })
}

async function localCloud(events: Events, allowPrivate: boolean, verbose: boolean): Promise<Cloud> {
  return startCloud({
    functionZip: functionZip(),
    allowPrivate,
    logLevel: verbose ? 'DEBUG' : 'INFO',
    onLog: ({ level, message, session, timestamp: _, ...fields }) =>
      events.emit({
        type: 'function.log',
        session: typeof session === 'string' ? session : undefined,
        level,
        message: String(message),
        fields,
      }),
  })
}

function usage<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(`--stun: ${error instanceof Error ? error.message : String(error)}`)
  }
}
