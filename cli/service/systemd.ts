import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { printable } from '../../tunnel/net/printable.ts'
import { definitionFile } from './definition-file.ts'
import { notInstalled, type Scope, type ServiceManager, serviceName } from './manager.ts'
import { mustRun, runTool, showTool } from './run-tool.ts'
import { ServiceError } from './service-error.ts'
import { outOfReach } from './systemd-reach.ts'
import { systemdUnit, unitMark } from './systemd-unit.ts'

const unit = `${serviceName}.service`

/** systemd's own manager, or that of this user. */
export function systemd(scope: Scope): ServiceManager {
  const file = definitionFile(join(unitFolder(scope), unit), unitMark)
  const how = scope === 'user' ? ['--user'] : []
  const systemctl = (...args: string[]) =>
    mustRun(['systemctl', ...how, ...args]).catch(error => {
      throw outOfReach(scope) ?? error
    })
  const journal = ['journalctl', scope === 'user' ? '--user-unit' : '--unit', unit, '--no-pager']
  /** Waits until it is ready. Throws a ServiceError with what it said last when it fails. */
  const begin = async (verb: 'start' | 'restart') => {
    if ((await runTool(['systemctl', ...how, verb, unit])).code === 0) return
    const unreachable = outOfReach(scope)
    if (unreachable) throw unreachable
    const { stdout } = await runTool([...journal, '--lines=12', '--output=cat'])
    throw new ServiceError('E_SERVICE_FAILED', `the service does not come up:\n${printableLines(stdout)}`, {
      hint: `"${serviceName} service logs${scope === 'system' ? ' --system' : ''}" has more.`,
    })
  }
  const mustBeInstalled = () => {
    if (!file.exists) throw notInstalled(`service is installed (${file.path})`, scope)
  }

  return {
    async install(plan) {
      await systemctl('show-environment')
      file.write(systemdUnit(plan))
      await systemctl('daemon-reload')
      await systemctl('enable', unit)
      await begin('restart')
      return scope === 'user' ? lingerNote() : []
    },
    async uninstall() {
      mustBeInstalled()
      await systemctl('disable', '--now', unit)
      file.remove()
      await systemctl('daemon-reload')
      // Where it had failed, nothing of that is shown any more.
      await runTool(['systemctl', ...how, 'reset-failed', unit])
    },
    async start() {
      mustBeInstalled()
      await begin('start')
    },
    async stop() {
      mustBeInstalled()
      await systemctl('stop', unit)
    },
    async status() {
      const shown = 'ActiveState,SubState,MainPID,UnitFileState,StatusText,Result'
      const stdout = await systemctl('show', unit, `--property=${shown}`)
      const values = new Map(
        stdout.split('\n').map(line => [line.split('=')[0]!, line.slice(line.indexOf('=') + 1)]),
      )
      const pid = Number(values.get('MainPID') ?? 0)
      const result = values.get('Result')
      return {
        scope,
        file: file.path,
        installed: file.exists,
        enabled: values.get('UnitFileState') === 'enabled',
        running: values.get('ActiveState') === 'active' || values.get('ActiveState') === 'reloading',
        ...(pid > 0 && { pid }),
        detail: [
          `${values.get('ActiveState') ?? 'unknown'} (${values.get('SubState') ?? 'unknown'})`,
          ...(result && result !== 'success' ? [`last result ${result}`] : []),
          ...(values.get('StatusText') ? [values.get('StatusText')!] : []),
        ].join(', '),
      }
    },
    async logs({ lines, follow }) {
      mustBeInstalled()
      await showTool([...journal, '--lines', String(lines), ...(follow ? ['--follow'] : [])])
    },
  }
}

// --- internal ---

const printableLines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map(line => printable(line, 500))
    .join('\n')

function unitFolder(scope: Scope): string {
  if (scope === 'system') return '/etc/systemd/system'
  const { XDG_CONFIG_HOME: home } = process.env
  return join(home && isAbsolute(home) ? home : join(homedir(), '.config'), 'systemd/user')
}

/** A user's services end with the last session, unless they linger (loginctl(1)). */
async function lingerNote(): Promise<string[]> {
  if (!Bun.which('loginctl')) return []
  const { stdout } = await runTool([
    'loginctl',
    'show-user',
    String(process.getuid?.()),
    '--property=Linger',
    '--value',
  ])
  return stdout.trim() === 'yes'
    ? []
    : [`It ends when you log out. To have it run from the machine's start on: loginctl enable-linger`]
}
