import type { Login } from '../client/accounts/login.ts'
import { mustAgree, readLogins } from '../client/accounts/read-logins.ts'
import { parseBudget } from '../client/budget/parse-budget.ts'
import type { BudgetSettings } from '../client/budget/spending.ts'
import type { Policy } from '../client/fleet/select.ts'
import { defaultFleetSettings, type FleetSettings } from '../client/fleet/state.ts'
import type { Listener } from '../client/inbound/listeners.ts'
import { parseBypass, parseRules } from '../client/outbound/rules.ts'
import type { ProxySettings } from '../client/proxy.ts'
import type { Config } from '../config/load.ts'
import { readDuration } from '../input/duration.ts'
import { parseListener } from '../input/listener-url.ts'
import { together } from '../input/together.ts'
import type { Settled } from './reload-settings.ts'

/** The settings of a proxy that can be changed while it runs. */
export interface SettledProxy extends Settled {
  proxy: ProxySettings
  fleet: FleetSettings
  policy: Policy
  budget: BudgetSettings
  /** Those of the dashboard, where it needs one. */
  pageLogins: Login[] | undefined
  authFiles: string[]
}

/** Reads the files that settings name. Throws for all that is wrong with them. */
export async function settleProxy(config: Config, auth: string | undefined): Promise<SettledProxy> {
  const authFile = config.values['proxy.auth_file']
  const pageFile = config.values['dashboard.auth_file']
  const [logins, further, pageLogins] = await together(
    () => readLogins({ auth, file: authFile }),
    () => furtherListeners(config),
    () => (pageFile === undefined ? undefined : readLogins({ file: pageFile, environment: {} })),
  )
  const all = [...logins, ...further.flatMap(({ logins }) => logins ?? [])]
  mustAgree(all)
  return {
    config,
    proxy: { ...proxySettings(config, further), logins },
    fleet: fleetSettings(config),
    policy: config.values['fleet.exit'],
    budget: budgetSettings(config),
    logins: all,
    pageLogins,
    authFiles: [authFile, pageFile, ...further.map(({ authFile }) => authFile)].filter(
      file => file !== undefined,
    ),
  }
}

// --- internal ---

const budgetSettings = ({ values }: Config): BudgetSettings => ({
  budget: values['fleet.budget'] === undefined ? undefined : parseBudget(values['fleet.budget']),
  action: values['fleet.budget_action'],
})

type FurtherListener = Listener & { authFile?: string | undefined }

/** What proxy.listen names. */
const furtherListeners = ({ values }: Config): Promise<FurtherListener[]> =>
  Promise.all(
    values['proxy.listen'].map(parseListener).map(async ({ authFile, ...listener }) => ({
      ...listener,
      authFile,
      logins: authFile === undefined ? undefined : await readLogins({ file: authFile, environment: {} }),
    })),
  )

function proxySettings({ values }: Config, further: readonly FurtherListener[]): ProxySettings {
  const host = values['proxy.host']
  const httpPort = values['proxy.http_port']
  return {
    listeners: [
      { scheme: 'mixed', host, port: values['proxy.port'] },
      ...(httpPort === undefined ? [] : [{ scheme: 'http' as const, host, port: httpPort }]),
      ...further.map(({ authFile: _, ...listener }) => listener),
    ],
    allowOpen: values['proxy.allow_open'],
    rotateOn: values['fleet.rotate_on'],
    optimistic: values['proxy.optimistic'],
    rules: [...parseRules(values['proxy.rules']), ...values['proxy.bypass'].flatMap(parseBypass)],
  }
}

/** With --exit fresh an exit is replaced after this many connections by default. */
const freshConnectionsPerExit = 10

const fleetSettings = ({ values }: Config): FleetSettings => ({
  sessions: values['fleet.sessions'],
  standby: values['fleet.standby'],
  rotateMs: readDuration(values['fleet.rotate'] ?? '') ?? defaultFleetSettings.rotateMs,
  launchesPerMinute: values['fleet.launches_per_minute'],
  idleMs: readDuration(values['fleet.idle']) ?? defaultFleetSettings.idleMs,
  distinct: values['fleet.distinct'],
  fresh: values['fleet.exit'] === 'fresh',
  connectionsPerExit:
    values['fleet.connections_per_exit'] ??
    (values['fleet.exit'] === 'fresh' ? freshConnectionsPerExit : defaultFleetSettings.connectionsPerExit),
})
