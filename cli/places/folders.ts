import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

// Where a user's files go: by the XDG Base Directory Specification, or by the system's own custom where it has one. An
// XDG variable that is set counts everywhere.

const name = 'lambda-nat-proxy'

/** What the folders depend on; tests pass their own. */
export interface Machine {
  platform: NodeJS.Platform
  env: Record<string, string | undefined>
  home: string
}

const thisMachine = (): Machine => ({ platform: process.platform, env: process.env, home: homedir() })

/** Where the configuration is, unless an option or LAMBDA_NAT_PROXY_CONFIG says otherwise. */
export const defaultConfigPath = (machine = thisMachine()) => join(configFolder(machine), `${name}.yaml`)

/** Where "login" keeps logins, unless an option or the configuration says otherwise. */
export const defaultLoginsPath = (machine = thisMachine()) => join(configFolder(machine), 'logins.yaml')

/** What belongs to one deployment: Terraform's files and its state. */
export const stateFolder = (stack: string, machine = thisMachine()) =>
  join(folder(machine, 'XDG_STATE_HOME', { others: '.local/state', windows: local }), stack)

/** The ledger of all runs; no stack can have this name. */
export const ledgerPath = (machine = thisMachine()) => stateFolder('usage.db', machine)

/** What can be recreated: libraries that the executable unpacks, and the working files of the embedded cloud. */
export const cacheFolder = (machine = thisMachine()) =>
  folder(machine, 'XDG_CACHE_HOME', {
    others: '.cache',
    macos: 'Library/Caches',
    windows: local,
    below: 'cache',
  })

/**
 * Where the sockets of running proxies may be, by which commands reach them: first where this process makes its own,
 * then where one has it that was started with another environment, or as the system's service.
 */
export function controlFolders(machine = thisMachine()): string[] {
  const { env, platform } = machine
  const state = stateFolder('run', machine)
  if (platform === 'win32') return [state]
  const runtime = absolute(env.XDG_RUNTIME_DIR)
  const usual = runtime === undefined ? [`/run/user/${process.getuid?.()}/${name}`] : []
  return [...(runtime === undefined ? [] : [join(runtime, name)]), state, ...usual, `/run/${name}`]
}

// --- internal ---

interface Custom {
  /** Below the home. */
  others: string
  macos?: string
  /** The variable that has the folder, and where it is without. */
  windows: readonly [variable: string, fallback: string]
  /** On Windows, where several kinds share one place. */
  below?: string
}

const roaming = ['APPDATA', 'AppData/Roaming'] as const
const local = ['LOCALAPPDATA', 'AppData/Local'] as const

const configFolder = (machine: Machine) =>
  folder(machine, 'XDG_CONFIG_HOME', { others: '.config', windows: roaming })

function folder({ platform, env, home }: Machine, variable: string, custom: Custom): string {
  const given = absolute(env[variable])
  if (given) return join(given, name)
  if (platform === 'win32') {
    const [where, fallback] = custom.windows
    return join(absolute(env[where]) ?? join(home, fallback), name, custom.below ?? '')
  }
  return join(home, (platform === 'darwin' && custom.macos) || custom.others, name)
}

/** The specification has relative paths ignored. */
const absolute = (path: string | undefined) => (path && isAbsolute(path) ? path : undefined)
