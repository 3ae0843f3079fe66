import { defineCommand } from 'citty'
import { optionsFor } from '../config/options.ts'
import { createModel } from '../dashboard/model.ts'
import { startSampler } from '../dashboard/sampler.ts'
import { defaultDashboardPort, startDashboard } from '../dashboard/server.ts'
import { createEvents, type Events, type ProxyEvent } from '../events.ts'
import { type Policy, policies } from '../fleet/choose.ts'
import { startFleet } from '../fleet/fleet.ts'
import { defaultFleetSettings, type FleetSettings } from '../fleet/state.ts'
import type { LogRecord } from '../local/log.ts'
import { parseCount, parseDuration } from '../parse-numbers.ts'
import { parsePort } from '../parse-port.ts'
import { startProxy } from '../proxy/proxy.ts'
import { humanShow, jsonShow } from '../show.ts'
import { loadSourceConfig, openSource, sourceOptions } from '../signal-source.ts'
import { untilInterrupted } from '../until-interrupted.ts'

export default defineCommand({
  meta: { name: 'run', description: 'Start the proxy: launch an exit and listen for SOCKS5 clients.' },
  args: {
    ...optionsFor('proxy.port', 'proxy.host'),
    ...sourceOptions,
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
    const config = await loadSourceConfig(args)
    const { 'proxy.host': host, 'proxy.port': port } = config.values
    const dashboardPort =
      args['dashboard-port'] === undefined ? undefined : parsePort('--dashboard-port', args['dashboard-port'])
    const settings: FleetSettings = {
      sessions: parseCount('--sessions', args.sessions, 1, 64),
      standby: parseCount('--standby', args.standby, 0, 16),
      rotateMs:
        args.rotate === undefined ? defaultFleetSettings.rotateMs : parseDuration('--rotate', args.rotate),
      launchesPerMinute: parseCount('--launches-per-minute', args['launches-per-minute'], 1, 1000),
    }

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
      const source = await openSource(config, args, {
        logLevel: args.verbose ? 'DEBUG' : 'INFO',
        // What is said while it is being closed is no news: its processes are ended, not failing.
        onLog: record => !closing && events.emit(functionLog(record)),
      })
      undo.push(source.close)
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
      const fleet = startFleet({
        settings,
        policy: args.exit as Policy,
        buckets: source.buckets,
        stunServers: source.stunServers,
        events,
      })
      undo.push(() => fleet.close())
      undo.push(startSampler(events, fleet.paths))
      const proxy = startProxy({
        listeners: [{ scheme: 'mixed', host, port }],
        exits: fleet,
        events,
      })
      undo.push(() => proxy.close())
      announceOnce(events, host, proxy.listeners[0]!.port)
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

const functionLog = ({ level, message, session, timestamp: _, ...fields }: LogRecord): ProxyEvent => ({
  type: 'function.log',
  session: typeof session === 'string' ? session : undefined,
  level,
  message: String(message),
  fields,
})
