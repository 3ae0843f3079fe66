import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type CommandDef, defineCommand } from 'citty'
import { consola } from 'consola'
import { loadConfig } from '../config/load.ts'
import { UsageError } from '../input/usage-error.ts'
import { readWhole } from '../input/whole-number.ts'
import { exitCodes } from '../output/exit-codes.ts'
import { describe } from '../output/help.ts'
import { columns, formatOf, formatOptions, print } from '../output/print.ts'
import { type Scope, type ServiceManager, type ServiceStatus, serviceName } from '../service/manager.ts'
import { managerFor } from '../service/managers.ts'
import { ownProgram } from '../service/program.ts'

const scopeOption = {
  system: {
    type: 'boolean',
    default: false,
    description: 'The service of the machine, not of this user; needs root (sudo)',
  },
} as const

const install = defineCommand({
  meta: describe({
    name: 'install',
    description:
      'Have the system run the proxy, now and at every start. Its settings come from a configuration file.',
    exits: { failed: 'the service manager refuses, or is not there' },
    examples: [
      ['service install', 'For this user, while logged in'],
      ['service install --system --config /etc/proxy.yaml', 'For the machine'],
    ],
  }),
  args: {
    ...scopeOption,
    config: {
      type: 'string',
      valueHint: 'path',
      description: 'Configuration file of the service (default: the one that "config path" prints)',
    },
    'run-as': {
      type: 'string',
      valueHint: 'account',
      description: 'With --system: the account that it runs as (default: one that systemd makes for it)',
    },
  },
  async run({ args }) {
    const runAs = args['run-as']
    const scope = scopeOf(args)
    if (runAs !== undefined && scope === 'user')
      throw new UsageError('--run-as goes with --system: a service of this user runs as this user')
    if (runAs !== undefined && !/^[A-Za-z_][\w.-]{0,31}$/.test(runAs))
      throw new UsageError(`--run-as ${runAs} is not the name of an account`)
    // Wrong settings are reported here, not by a service that ends at once.
    const { file, fileFound } = await loadConfig({ flags: { config: args.config ?? systemConfig(scope) } })
    const config = fileFound ? ['--config', resolve(file)] : []
    const command = [...ownProgram(scope), 'run', ...(quiet() ? ['--quiet'] : []), ...config]
    const notes = await managerFor(scope).install({ scope, command, runAs })
    consola.success(
      `The service is installed, and starts now and ${scope === 'system' ? 'with the machine' : 'when you log in'}.`,
    )
    if (!fileFound) consola.info(`There is no ${file}: it runs with the settings' defaults.`)
    for (const note of notes) consola.info(note)
    consola.log('See "lambda-nat-proxy service status" and "lambda-nat-proxy service logs".')
  },
})

const status = defineCommand({
  meta: describe({
    name: 'status',
    description: 'Show whether the service is installed and running.',
    exits: { failed: 'it is not installed, or not running' },
  }),
  args: { ...scopeOption, ...formatOptions },
  async run({ args }) {
    const format = formatOf(args)
    const found = await managerFor(scopeOf(args)).status()
    print(found, format, human)
    process.exitCode = found.running ? exitCodes.done : exitCodes.failed
  },
})

const logs = defineCommand({
  meta: describe({ name: 'logs', description: 'Show the log of the service.' }),
  args: {
    ...scopeOption,
    lines: { type: 'string', valueHint: 'n', default: '100', description: 'Number of newest lines to show' },
    follow: { type: 'boolean', alias: 'f', default: false, description: 'Keep showing new lines' },
  },
  async run({ args }) {
    const lines = readWhole(args.lines, 1, 999_999)
    if (lines === undefined) throw new UsageError(`--lines ${args.lines} must be a number from 1 to 999999`)
    await managerFor(scopeOf(args)).logs({ lines, follow: args.follow })
  },
})

/** A command that has the service manager do one thing. */
const action = (
  name: string,
  description: string,
  done: string,
  act: (manager: ServiceManager) => Promise<void>,
): CommandDef =>
  defineCommand({
    meta: describe({ name, description }),
    args: scopeOption,
    async run({ args }) {
      await act(managerFor(scopeOf(args)))
      consola.success(done)
    },
  }) as CommandDef

export default defineCommand({
  meta: describe({
    name: 'service',
    description: 'Have the system run the proxy: systemd, launchd, or the Task Scheduler of Windows.',
  }),
  subCommands: {
    install: () => Promise.resolve(install as CommandDef),
    uninstall: () =>
      Promise.resolve(
        action('uninstall', 'Stop the service and remove it.', 'The service is removed.', manager =>
          manager.uninstall(),
        ),
      ),
    start: () =>
      Promise.resolve(
        action('start', 'Start the service.', 'The service is running.', manager => manager.start()),
      ),
    stop: () =>
      Promise.resolve(
        action('stop', 'Stop the service until its next start.', 'The service is stopped.', manager =>
          manager.stop(),
        ),
      ),
    status: () => Promise.resolve(status as CommandDef),
    logs: () => Promise.resolve(logs as CommandDef),
  },
})

// --- internal ---

const scopeOf = ({ system }: { system: boolean }): Scope => (system ? 'system' : 'user')

/** The default configuration of a system service, which cannot see home folders, if it exists. */
function systemConfig(scope: Scope): string | undefined {
  const path = `/etc/${serviceName}/${serviceName}.yaml`
  return scope === 'system' && existsSync(path) ? path : undefined
}

/** Where the log is a plain file, which nobody rotates, it is kept short. */
const quiet = () => process.platform !== 'linux'

const human = ({ file, installed, enabled, running, pid, detail }: ServiceStatus): string =>
  columns([
    ['service', installed ? (running ? 'running' : 'installed, not running') : 'not installed'],
    ['state', detail],
    ...(pid === undefined ? [] : [['process', String(pid)]]),
    ['at start', enabled ? 'yes' : 'no'],
    ['definition', file],
  ])
