import { consola } from 'consola'
import { CodedError } from '../../tunnel/net/coded-error.ts'
import { loadEngine } from '../../tunnel/quic/engines/engines.ts'
import { LoginTable } from '../client/accounts/access.ts'
import { Accounts } from '../client/accounts/accounts.ts'
import { type Audit, startAudit } from '../client/audit/audit.ts'
import { Spending } from '../client/budget/spending.ts'
import { comingFleet } from '../client/fleet/coming-fleet.ts'
import { type Fleet, startFleet } from '../client/fleet/fleet.ts'
import { Ledger, LedgerError } from '../client/ledger/ledger.ts'
import { type ProxyOptions, startProxy } from '../client/proxy.ts'
import { createEvents, type Events, type ListenerAddress, type ProxyEvent } from '../client/stats/events.ts'
import { createModel, type Model } from '../client/stats/model.ts'
import { startSampler } from '../client/stats/sampler.ts'
import type { LogRecord } from '../cloud/log.ts'
import { engineOf } from '../config/engine.ts'
import type { Config } from '../config/load.ts'
import type { Controlled } from '../control/operations.ts'
import type { ReloadReport } from '../control/reload.ts'
import { newControlToken } from '../control/socket.ts'
import { startDashboard } from '../dashboard/server.ts'
import { checkSignalling, openSignalling } from '../deploy/signalling.ts'
import { readSignalling, type SignallingArgs, type SignallingOptions } from '../deploy/signalling-options.ts'
import { readSize } from '../input/size.ts'
import { together } from '../input/together.ts'
import { UsageError } from '../input/usage-error.ts'
import { whenAborted } from '../input/when-aborted.ts'
import { withAdvice } from '../output/advice.ts'
import { exitCodes } from '../output/exit-codes.ts'
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
import { type SettledProxy, settleProxy } from './settle-proxy.ts'

/** The arguments of `run`, as citty gives them. */
export interface RunArgs extends SignallingArgs {
  auth?: string | undefined
  json: boolean
  quiet: boolean
  verbose: boolean
}

/**
 * Runs the proxy until it is interrupted: what it is made of is started here, each part before those that use it, and
 * ends in reverse order. Throws all that is wrong with the settings at once, and where no exit can start.
 */
export async function runProxy(args: RunArgs): Promise<void> {
  const signalling = await readSignalling(args)
  const settle = (config: Config) => settleProxy(config, args.auth)
  const settled = await settle(signalling.config)
  for (const file of settled.authFiles) await warnOfLogins(file)

  const events = createEvents()
  const model = createModel(events, Date.now, args.local)
  const reporter = reporterFor(args, model)
  events.subscribe(reporter.event)
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
  await interruptible(
    async signal => {
      // Also when the start is called off.
      await using started = new AsyncDisposableStack()
      started.defer(reporter.close)
      started.defer(notifier.close)
      signal.addEventListener('abort', notifier.stopping)
      const parts = { settled, events, model, started, signal }
      const { accounts, spending, audit } = await openRecords(parts)
      const exits = comingFleet<Fleet>()
      const { proxy, dashboard, pageAccess } = await openEndpoints(parts, signalling, {
        proxy: { exits, accounts, gate: audit?.gate },
        control: { fleet: () => exits.arrived, reload: () => reload?.() },
      })
      const source = await openSignalling(withLog(signalling, args.verbose, parts), signal)
      started.defer(source.close)
      dashboard?.announce()
      const fleet = startFleet({
        settings: settled.fleet,
        policy: settled.policy,
        source,
        dns: settled.config.values['proxy.dns'],
        events,
        budgetGate: spending,
      })
      started.defer(() => fleet.close())
      started.defer(startSampler(events, fleet.paths))
      // Before the exits end, so that open connections may finish.
      started.defer(proxy.close)
      exits.arrive(fleet)
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
    },
    { exitCode: exitCodes.done, onHangUp },
  )
}

// --- internal ---

/** What the parts of a run have in common. */
interface Parts {
  settled: SettledProxy
  events: Events
  model: Model
  /** Ends what was started. */
  started: AsyncDisposableStack
  /** Aborted when the run is to end. */
  signal: AbortSignal
}

function reporterFor({ json, verbose, quiet, local }: RunArgs, model: Model) {
  if (json) return jsonReporter({ verbose, local })
  return terminalReporter({ verbose, quiet, local, managed: isManaged() }, model)
}

/** Opens what is written down: usage by login, spending, and the audit file. */
async function openRecords({ settled, events, model, started, signal }: Parts) {
  const { config, logins, budget } = settled
  const ledger = openLedger(
    logins.some(({ limits }) => limits.quota) || (!model.local && budget.budget !== undefined),
  )
  started.defer(() => ledger.close())
  const accounts = new Accounts({ events, ledger })
  started.defer(() => accounts.close())
  // The embedded cloud costs nothing.
  const spending = model.local
    ? undefined
    : new Spending({ ...budget, events, ledger, cost: () => model.cost().total })
  started.defer(() => spending?.close())
  const audit = await auditOf(config, events)
  if (audit) {
    started.defer(audit.close)
    signal.addEventListener('abort', audit.ending)
  }
  return { accounts, spending, audit }
}

interface EndpointOptions {
  proxy: Pick<ProxyOptions, 'exits' | 'accounts' | 'gate'>
  control: Pick<Controlled, 'fleet' | 'reload'>
}

/**
 * Opens what is connected to: listeners, dashboard and control socket. Before anything is announced or launched, so that
 * everything that is wrong is reported at once, and costs nothing.
 */
async function openEndpoints(
  { settled, events, model, started }: Parts,
  signalling: SignallingOptions,
  on: EndpointOptions,
) {
  const { config } = settled
  const { values } = config
  const apiToken = newControlToken()
  let listeners = (): readonly ListenerAddress[] => []
  const control: Controlled = { ...on.control, model, listeners: () => listeners() }
  const pageAccess = settled.pageLogins && new LoginTable(settled.pageLogins)
  const [proxy, dashboard] = await together(
    async () => {
      const proxy = await namingOtherProxy(() => startProxy({ ...settled.proxy, ...on.proxy, events }))
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
  return { proxy, dashboard, pageAccess }
}

/** The embedded cloud's functions log into the events. */
function withLog(
  { local, ...signalling }: SignallingOptions,
  verbose: boolean,
  { events, started }: Parts,
): SignallingOptions {
  if (!local) return signalling
  return {
    ...signalling,
    local: {
      ...local,
      logLevel: verbose ? 'DEBUG' : 'INFO',
      // While it is being closed its processes are ended on purpose: their errors mean nothing.
      onLog: record => !started.disposed && events.emit(functionLog(record)),
    },
  }
}

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
