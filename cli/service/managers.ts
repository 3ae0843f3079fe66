import { launchd } from './launchd.ts'
import type { Scope, ServiceManager } from './manager.ts'
import { ServiceError } from './service-error.ts'
import { systemd } from './systemd.ts'
import { taskScheduler } from './task-scheduler.ts'

/** The service manager of this machine. Throws a ServiceError where there is none that is known. */
export function managerFor(scope: Scope, platform: NodeJS.Platform = process.platform): ServiceManager {
  switch (platform) {
    case 'linux':
      return systemd(scope)
    case 'darwin':
      return launchd(scope)
    case 'win32':
      if (scope === 'user') return taskScheduler()
      throw new ServiceError('E_SERVICE_UNSUPPORTED', 'on Windows the service is a task of one user', {
        hint: 'Leave out --system.',
      })
    default:
      throw new ServiceError('E_SERVICE_UNSUPPORTED', `services on ${platform} are not known to this program`)
  }
}
