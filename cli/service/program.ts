import { accessSync, constants, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Scope } from './manager.ts'
import { ServiceError } from './service-error.ts'

/** Folders that a system's service does not see. */
const homes = ['/home', '/root', '/run/user']

/**
 * What starts this program: its executable, or the runtime and the sources. Throws a ServiceError where a service of the
 * system could not read it.
 */
export function ownProgram(scope: Scope): string[] {
  const { execPath } = process
  const parts = [
    realpathSync(execPath),
    ...(Bun.isStandaloneExecutable ? [] : [join(import.meta.dir, '../main.ts')]),
  ]
  for (const path of parts) {
    accessSync(path, constants.R_OK)
    if (scope === 'system' && process.platform === 'linux' && homes.some(home => path.startsWith(`${home}/`)))
      throw new ServiceError(
        'E_SERVICE_PROGRAM',
        `a service of the system cannot run ${path}, in somebody's home`,
        {
          hint: 'Copy the executable to /usr/local/bin, and run it from there.',
        },
      )
  }
  return parts
}
