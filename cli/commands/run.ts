import { defineCommand } from 'citty'
import { consola, LogLevels } from 'consola'
import { CodedError } from '../../tunnel/net/coded-error.ts'
import { loadEngine } from '../../tunnel/quic/engines/engines.ts'
import { LoginTable } from '../client/accounts/access.ts'
import { Accounts } from '../client/accounts/accounts.ts'
import { type Audit, startAudit } from '../client/audit/audit.ts'
import { Spending } from '../client/budget/spending.ts'
import { comingFleet } from '../client/fleet/coming-fleet.ts'
import { type Fleet, startFleet } from '../client/fleet/fleet.ts'
import { Ledger, LedgerError } from '../client/ledger/ledger.ts'
import { startProxy } from '../client/proxy.ts'
import { createEvents, type Events, type ListenerAddress, type ProxyEvent } from '../client/stats/events.ts'
import { createModel } from '../client/stats/model.ts'
import { startSampler } from '../client/stats/sampler.ts'
import type { LogRecord } from '../cloud/log.ts'
import { engineOf } from '../config/engine.ts'
import type { Config } from '../config/load.ts'
import { optionsFor } from '../config/options.ts'
import type { Controlled } from '../control/operations.ts'
import type { ReloadReport } from '../control/reload.ts'
import { newControlToken } from '../control/socket.ts'
import { startDashboard } from '../dashboard/server.ts'
import { checkSignalling, openSignalling } from '../deploy/signalling.ts'
import { readSignalling, signallingOptions } from '../deploy/signalling-options.ts'
import { readSize } from '../input/size.ts'
import { together } from '../input/together.ts'
import { UsageError } from '../input/usage-error.ts'
import { whenAborted } from '../input/when-aborted.ts'
import { withAdvice } from '../output/advice.ts'
import { exitCodes } from '../output/exit-codes.ts'
import { describe } from '../output/help.ts'
import { jsonReporter } from '../output/json-reporter.ts'
import { terminalReporter } from '../output/terminal-reporter.ts'
import { ledgerPath } from '../places/folders.ts'
import { isManaged } from '../service/managed.ts'
import { startNotifier } from '../service/notifier.ts'
import { interruptible } from './interrupt.ts'
import { warnOfLogins } from './login-warnings.ts'
import { openControlOrWarn } from './open-control.ts'
import { namingOtherProxy } from './other-proxy.ts'
import { reloader } from './reload-settings.ts'
import { settleProxy } from './settle-proxy.ts'

export default defineCommand({
  meta: describe({
    name: 'run',
    description:
      'Start the proxy: launch exits, and listen for SOCKS5 and HTTP clients until it is interrupted.',
    exits: {
      done: 'ended by Ctrl-C, SIGTERM or a closed terminal',
      failed: 'no exit can start',
      interrupted: 'ended at once by a second signal',
    },
    examples: [
      ['run --local', 'Try it on this machine, without an AWS account'],
      ['run --regions eu-central-1,us-east-1 --sessions 2', 'Two exits in two regions'],
      ['run --rotate 5m', 'A new address every five minutes'],
      ['run --rules "direct *.example.com"', 'Reach a site without an exit'],
    ],
  }),
  args: {
    ...optionsFor(
      'proxy.port',
      'proxy.host',
      'proxy.http_port',
      'proxy.listen',
      'proxy.auth_file',
      'proxy.allow_open',
      'proxy.bypass',
      'proxy.rules',
      'proxy.dns',
      'proxy.optimistic',
      'fleet.sessions',
      'fleet.standby',
      'fleet.rotate',
      'fleet.idle',
      'fleet.exit',
      'fleet.distinct',
      'fleet.connections_per_exit',
      'fleet.launches_per_minute',
      'fleet.rotate_on',
      'fleet.budget',
      'fleet.budget_action',
      'audit.file',
      'audit.max_size',
      'audit.keep',
      'audit.on_failure',
      'dashboard.enabled',
      'dashboard.host',
      'dashboard.auth_file',
      'dashboard.port',
    ),
    auth: {
      type: 'string',
      valueHint: 'user:password,…',
      group: 'Proxy',
      description:
        'Logins; others can see them in the process list, so prefer LAMBDA_NAT_PROXY_AUTH or --auth-file',
    },
    ...signallingOptions,
    json: { type: 'boolean', default: false, description: 'Print events as JSON, one a line' },
    quiet: {
      type: 'boolean',
      alias: 'q',
      default: false,
      description: 'Print warnings and errors only',
    },
    verbose: {
      type: 'boolean',
      alias: 'v',
      default: false,
      description: "Show each connection, the set-up times and the function's log",
    },
  },
  async run({ args }) {
    const { verbose, json, quiet } = args
    if (quiet && (verbose || json))
      throw new UsageError(`--quiet and --${json ? 'json' : 'verbose'} are both given: leave out one`)
    if (quiet) consola.level = LogLevels.warn
    const signalling = await readSignalling(args)
    const { config } = signalling
    const { values } = config
    const settle = (config: Config) => settleProxy(config, args.auth)
    const settled = await settle(config)
    for (const file of settled.authFiles) await warnOfLogins(file)

    const events = createEvents()
    const model = createModel(events, Date.now, args.local)
    const show = json
      ? jsonReporter({ verbose, local: args.local })
      : terminalReporter({ verbose, quiet, local: args.local, managed: isManaged() }, model)
    events.subscribe(show.event)
    const notifier = startNotifier({ events, model })
    let reload: (() => Promise<ReloadReport>) | undefined
    // Events report its outcome. At a terminal a hang-up ends the proxy instead.
    const onHangUp = isManaged()
      ? () => {
          if (!reload) return
          notifier.reloading()
          void reload()
            .catch(() => {})
            .finally(notifier.ready)
        }
      : undefined
    const ends = { exitCode: exitCodes.done, onHangUp }
    await interruptible(async signal => {
      // What was started ends in reverse order, also when the start is called off.
      await using started = new AsyncDisposableStack()
      started.defer(show.close)
      const ledger = openLedger(
        settled.logins.some(({ limits }) => limits.quota) ||
          (!args.local && settled.budget.budget !== undefined),
      )
      started.defer(() => ledger.close())
      const accounts = new Accounts({ events, ledger })
      started.defer(() => accounts.close())
      started.defer(notifier.close)
      signal.addEventListener('abort', notifier.stopping)
      // The embedded cloud costs nothing.
      const spending = args.local
        ? undefined
        : new Spending({ ...settled.budget, events, ledger, cost: () => model.cost().total })
      started.defer(() => spending?.close())
      const audit = await auditOf(config, events)
      if (audit) {
        started.defer(audit.close)
        signal.addEventListener('abort', audit.ending)
      }
      const coming = comingFleet<Fleet>()
      const apiToken = newControlToken()
      let listeners = (): readonly ListenerAddress[] => []
      const control: Controlled = {
        model,
        fleet: () => coming.arrived,
        listeners: () => listeners(),
        reload: () => reload?.(),
      }
      const pageAccess = settled.pageLogins && new LoginTable(settled.pageLogins)
      // Before anything is announced or launched: everything that is wrong is reported at once, and costs nothing.
      const [proxy, dashboard] = await together(
        async () => {
          const proxy = await namingOtherProxy(() =>
            startProxy({ ...settled.proxy, exits: coming, events, gate: audit?.gate, accounts }),
          )
          started.defer(proxy.close)
          return proxy
        },
        () => {
          if (!values['dashboard.enabled']) return undefined
          const dashboard = startDashboard({
            host: values['dashboard.host'],
            port: values['dashboard.port'],
            model,
            events,
            control,
            apiToken,
            access: pageAccess,
          })
          started.defer(dashboard.close)
          return dashboard
        },
        () => checkSignalling(signalling),
        // It is a file that the system may refuse to load.
        () => loadEngine(engineOf(config)),
      )
      listeners = () => proxy.listeners
      started.defer(await openControlOrWarn(proxy.listeners[0]!.port, apiToken, control))
      const source = await openSignalling(
        {
          ...signalling,
          ...(signalling.local && {
            local: {
              ...signalling.local,
              logLevel: args.verbose ? 'DEBUG' : 'INFO',
              // While it is being closed its processes are ended on purpose: their errors mean nothing.
              onLog: record => !started.disposed && events.emit(functionLog(record)),
            },
          }),
        },
        signal,
      )
      started.defer(source.close)
      dashboard?.announce()
      const fleet = startFleet({
        settings: settled.fleet,
        policy: settled.policy,
        source,
        dns: values['proxy.dns'],
        events,
        purse: spending,
      })
      started.defer(() => fleet.close())
      started.defer(startSampler(events, fleet.paths))
      // Before the exits end, so that open connections may finish.
      started.defer(proxy.close)
      coming.arrive(fleet)
      reload = reloader({
        settled,
        events,
        read: async () => (await readSignalling(args)).config,
        settle,
        apply(next) {
          proxy.update(next.proxy)
          accounts.update(next.logins)
          spending?.update(next.budget)
          pageAccess?.replace(next.pageLogins ?? [])
          fleet.update(next.fleet, next.policy)
        },
      })
      announceOnce(events, proxy.listeners)
      notifier.ready()
      await Promise.race([fleet.hopeless, whenAborted(signal)])
      throw new CodedError('E_NO_EXIT_POSSIBLE', 'no exit can start until the error above is fixed')
    }, ends)
  },
})

// --- internal ---

/** The ledger of all runs. Where no setting depends on it, the proxy starts without it. */
function openLedger(isNeeded: boolean): Ledger {
  try {
    return new Ledger(ledgerPath())
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error
    const { code, message, hint } = error
    if (isNeeded) throw new UsageError(message, { code, hint, cause: error })
    consola.warn(`${withAdvice(error.toJSON())} This run counts by itself.`)
    return new Ledger()
  }
}

async function auditOf({ values }: Config, events: Events): Promise<Audit | undefined> {
  const path = values['audit.file']
  if (path === undefined) return undefined
  return startAudit({
    events,
    path,
    maxBytes: readSize(values['audit.max_size'])!,
    keep: values['audit.keep'],
    onFailure: values['audit.on_failure'],
  })
}

/** Says that the proxy is ready, once, when the first exit is up. */
function announceOnce(events: Events, open: readonly ListenerAddress[]): void {
  const listeners = open.map(({ scheme, host, port }) => ({ scheme, host, port }))
  const { host, port } = listeners[0]!
  const unsubscribe = events.subscribe(event => {
    if (event.type !== 'exit.ready') return
    unsubscribe()
    events.emit({ type: 'proxy.ready', host, port, listeners, address: event.address })
  })
}

const functionLog = ({ level, message, session, timestamp: _, ...fields }: LogRecord): ProxyEvent => ({
  type: 'function.log',
  session: typeof session === 'string' ? session : undefined,
  level,
  message: String(message),
  fields,
})
