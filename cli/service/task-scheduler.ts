import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { notInstalled, type ServiceManager, serviceName } from './manager.ts'
import { mustRun, runTool, showTool } from './run-tool.ts'
import { taskXml } from './task-xml.ts'

/** Windows' Task Scheduler, for this user. (A service proper would have to speak with the Service Control Manager.) */
export function taskScheduler(): ServiceManager {
  const { LOCALAPPDATA, USERDOMAIN = '.', USERNAME = '' } = process.env
  const folder = join(LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), serviceName)
  const file = join(folder, 'service.xml')
  const log = join(folder, 'service.log')
  const task = ['/TN', serviceName]
  const isThere = async () => (await runTool(['schtasks.exe', '/Query', ...task])).code === 0
  const mustBeInstalled = async () => {
    if (!(await isThere())) throw notInstalled(`task ${serviceName} is installed`, 'user')
  }
  const run = () => mustRun(['schtasks.exe', '/Run', ...task])
  const end = () => runTool(['schtasks.exe', '/End', ...task])

  return {
    async install(plan) {
      mkdirSync(folder, { recursive: true })
      const xml = taskXml({ ...plan, log, user: `${USERDOMAIN}\\${USERNAME}` })
      writeFileSync(file, Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(xml, 'utf16le')]))
      await end()
      await mustRun(['schtasks.exe', '/Create', ...task, '/XML', file, '/F'])
      await run()
      return []
    },
    async uninstall() {
      await mustBeInstalled()
      await end()
      await mustRun(['schtasks.exe', '/Delete', ...task, '/F'])
      rmSync(file, { force: true })
    },
    async start() {
      await mustBeInstalled()
      await run()
    },
    async stop() {
      await mustBeInstalled()
      await end()
    },
    async status() {
      const installed = await isThere()
      // Its state has a name that does not depend on the language.
      const script = `(Get-ScheduledTask -TaskName '${serviceName}').State`
      const { stdout } = await runTool([
        'powershell.exe',
        '-NoProfile',
        '-NonInteractive',
        '-Command',
        script,
      ])
      const state = stdout.trim()
      return {
        scope: 'user',
        file,
        installed,
        enabled: installed && state !== 'Disabled',
        running: state === 'Running',
        detail: installed ? state : 'no such task',
      }
    },
    async logs({ lines, follow }) {
      await mustBeInstalled()
      if (!existsSync(log)) return
      const script = `Get-Content -LiteralPath '${log.replaceAll("'", "''")}' -Tail ${lines}${follow ? ' -Wait' : ''}`
      await showTool(['powershell.exe', '-NoProfile', '-NonInteractive', '-Command', script])
    },
  }
}
