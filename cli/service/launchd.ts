import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { definitionFile } from './definition-file.ts'
import { launchdLabel, launchdPlist, plistMark } from './launchd-plist.ts'
import { notInstalled, type Scope, type ServiceManager, serviceName } from './manager.ts'
import { mustRun, runTool, showTool } from './run-tool.ts'

/** macOS's launchd: an agent of this user's session, or a daemon of the machine (launchctl(1)). */
export function launchd(scope: Scope): ServiceManager {
  const isSystem = scope === 'system'
  const home = isSystem ? '/' : homedir()
  const file = definitionFile(
    join(home, 'Library', isSystem ? 'LaunchDaemons' : 'LaunchAgents', `${launchdLabel}.plist`),
    plistMark,
  )
  const log = join(home, 'Library/Logs', `${serviceName}.log`)
  const domain = isSystem ? 'system' : `gui/${process.getuid?.()}`
  const target = `${domain}/${launchdLabel}`
  const mustBeInstalled = () => {
    if (!file.exists) throw notInstalled(`service is installed (${file.path})`, scope)
  }
  const isLoaded = async () => (await runTool(['launchctl', 'print', target])).code === 0
  const unload = async () => {
    if (await isLoaded()) await mustRun(['launchctl', 'bootout', target])
  }

  return {
    async install(plan) {
      mkdirSync(dirname(log), { recursive: true })
      file.write(launchdPlist({ ...plan, log }))
      await unload()
      await mustRun(['launchctl', 'enable', target])
      await mustRun(['launchctl', 'bootstrap', domain, file.path])
      return []
    },
    async uninstall() {
      mustBeInstalled()
      await unload()
      file.remove()
    },
    async start() {
      mustBeInstalled()
      if (!(await isLoaded())) await mustRun(['launchctl', 'bootstrap', domain, file.path])
      else await mustRun(['launchctl', 'kickstart', target])
    },
    async stop() {
      mustBeInstalled()
      // What is loaded would be started again.
      await unload()
    },
    async status() {
      const { code, stdout } = await runTool(['launchctl', 'print', target])
      const pid = Number(/^\s*pid = (\d+)$/m.exec(stdout)?.[1] ?? 0)
      const state = /^\s*state = (.+)$/m.exec(stdout)?.[1]
      return {
        scope,
        file: file.path,
        installed: file.exists,
        enabled: file.exists,
        running: pid > 0,
        ...(pid > 0 && { pid }),
        detail: code === 0 ? (state ?? 'loaded') : 'not loaded',
      }
    },
    async logs({ lines, follow }) {
      mustBeInstalled()
      await showTool(['tail', '-n', String(lines), ...(follow ? ['-F'] : []), log])
    },
  }
}
