import { defineCommand } from 'citty'
import { openBucket, type SignalBucket } from '../../tunnel/signal/bucket.ts'
import { defaultStunServers, parseStunServers } from '../../tunnel/stun/server-name.ts'
import { type Mode, modeNames } from '../config/modes.ts'
import { createModel } from '../dashboard/model.ts'
import { startSampler } from '../dashboard/sampler.ts'
import { defaultDashboardPort, startDashboard } from '../dashboard/server.ts'
import { createEvents, type Events, type ProxyEvent } from '../events.ts'
import { type Policy, policies } from '../fleet/choose.ts'
import { startFleet } from '../fleet/fleet.ts'
import { defaultFleetSettings, type FleetSettings } from '../fleet/state.ts'
import { functionZip } from '../function-zip.ts'
import { type Cloud, startCloud } from '../local/cloud.ts'
import type { LogRecord } from '../local/log.ts'
import { parseCount, parseDuration } from '../parse-numbers.ts'
import { parsePort } from '../parse-port.ts'
import { startProxy } from '../proxy/proxy.ts'
import { humanShow, jsonShow } from '../show.ts'
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
      alias: 'regions',
      valueHint: 'name',
      description:
        'AWS region of the bucket (default: AWS_REGION or the profile); with --local a list of names',
    },
    stun: {
      type: 'string',
      valueHint: 'host:port,…',
      description: `STUN servers, tried in turn (default: ${defaultStunServers.join(',')})`,
    },
    sessions: { type: 'string', default: '1', valueHint: 'n', description: 'Exits in use at once' },
    standby: {
      type: 'string',
      default: '0',
      valueHint: 'n',
      description: 'Exits kept ready beside them; each is billed as if it were used',
    },
    rotate: {
      type: 'string',
      valueHint: '60s',
      description: 'Replace each exit after this long (default: shortly before its function must end)',
    },
    exit: {
      type: 'enum',
      options: [...policies],
      default: 'sticky',
      description: 'How connections are spread over the exits; sticky: a site keeps its exit',
    },
    'launches-per-minute': {
      type: 'string',
      default: String(defaultFleetSettings.launchesPerMinute),
      valueHint: 'n',
      description: 'Launch budget: no more in any minute, whatever happens',
    },
    local: {
      type: 'boolean',
      default: false,
      description: 'Run against the embedded cloud on this machine; needs no AWS account',
    },
    mode: {
      type: 'enum',
      options: [...modeNames],
      default: 'normal',
      description: 'With --local: size and time limit of the function',
    },
    'allow-private': {
      type: 'boolean',
      default: false,
      description: 'With --local: let the exit reach private and loopback addresses',
    },
    dashboard: {
      type: 'boolean',
      default: true,
      description: 'Show what goes on on a web page',
      negativeDescription: 'Go without the web page and its metrics',
    },
    'dashboard-port': {
      type: 'string',
      valueHint: 'port',
      description: `TCP port of the web page, 0 for any free (default: ${defaultDashboardPort}, or the next that is free)`,
    },
    'dashboard-host': {
      type: 'string',
      default: '127.0.0.1',
      valueHint: 'address',
      description: 'Address of the web page; whoever reaches it sees and steers the exits',
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
    const dashboardPort =
      args['dashboard-port'] === undefined ? undefined : parsePort('--dashboard-port', args['dashboard-port'])
    const stun = args.stun === undefined ? undefined : usage(() => parseStunServers(args.stun!))
    const settings: FleetSettings = {
      sessions: parseCount('--sessions', args.sessions, 1, 64),
      standby: parseCount('--standby', args.standby, 0, 16),
      rotateMs:
        args.rotate === undefined ? defaultFleetSettings.rotateMs : parseDuration('--rotate', args.rotate),
      launchesPerMinute: parseCount('--launches-per-minute', args['launches-per-minute'], 1, 1000),
    }
    if (args.local && args.bucket) throw new UsageError('--local has a bucket of its own: leave out --bucket')
    if (args['allow-private'] && !args.local)
      throw new UsageError(
        '--allow-private goes with --local; a deployment allows private targets by its variable allow_private',
      )
    if (!args.local && !args.bucket)
      throw new UsageError('no bucket is given: name one with --bucket, or try --local')

    const events = createEvents()
    const model = createModel(events)
    const show = args.json ? jsonShow(args.verbose) : humanShow(args.verbose, model)
    events.subscribe(show.event)
    // What was started, in order; it ends in reverse.
    const undo: (() => void | Promise<void>)[] = [show.close]
    let closing = false
    const close = async () => {
      closing = true
      for (const step of undo.splice(0).reverse()) await step()
    }
    const start = async () => {
      const regions = args.region?.split(',').map(region => region.trim())
      const cloud = args.local
        ? await startCloud({
            functionZip: functionZip(),
            ...(regions && { regions }),
            mode: args.mode as Mode,
            allowPrivate: args['allow-private'],
            logLevel: args.verbose ? 'DEBUG' : 'INFO',
            // What is said while it is being closed is no news: its processes are ended, not failing.
            onLog: record => !closing && events.emit(functionLog(record)),
          })
        : undefined
      if (cloud) undo.push(() => cloud.close())
      // Before the first exit is launched: a port that cannot be had costs nothing.
      if (args.dashboard) {
        const dashboard = startDashboard({
          host: args['dashboard-host'],
          port: dashboardPort,
          model,
          events,
          rotate: id => fleet.rotate(id),
        })
        undo.push(dashboard.close)
      }
      const buckets = cloud ? localBuckets(cloud) : namedBucket(args.bucket!, args.region)
      const fleet = startFleet({
        settings,
        policy: args.exit as Policy,
        buckets,
        stunServers: stun ?? parseStunServers((cloud?.stunServers ?? defaultStunServers).join(',')),
        events,
      })
      undo.push(() => fleet.close())
      undo.push(startSampler(events, fleet.paths))
      const proxy = startProxy({
        listeners: [{ scheme: 'mixed', host: args.host, port }],
        exits: fleet,
        events,
      })
      undo.push(() => proxy.close())
      announceOnce(events, args.host, proxy.listeners[0]!.port)
      return fleet.hopeless
    }
    // The first Ctrl-C may come while things are being started.
    const interrupted = untilInterrupted(close)
    try {
      const hopeless = await start()
      await Promise.race([hopeless, interrupted])
      throw new Error('no exit can come up until that is put right')
    } catch (error) {
      await close()
      throw error
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

/** The embedded cloud's buckets, by region. */
const localBuckets = ({ buckets, endpoint, credentials }: Cloud): Map<string, SignalBucket> =>
  new Map(
    [...buckets].map(([region, bucket]) => [region, openBucket({ bucket, region, endpoint, credentials })]),
  )

const namedBucket = (bucket: string, region: string | undefined): Map<string, SignalBucket> =>
  new Map([
    [region ?? process.env.AWS_REGION ?? 'default-region', openBucket({ bucket, ...(region && { region }) })],
  ])

const functionLog = ({ level, message, session, timestamp: _, ...fields }: LogRecord): ProxyEvent => ({
  type: 'function.log',
  session: typeof session === 'string' ? session : undefined,
  level,
  message: String(message),
  fields,
})

function usage<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(`--stun: ${error instanceof Error ? error.message : String(error)}`)
  }
}
