import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Scope, serviceName } from './manager.ts'
import { ServiceError } from './service-error.ts'

/** What decides whether systemd can be reached; tests pass their own. */
export interface Here {
  env: Record<string, string | undefined>
  uid: number | undefined
  /** Whether there is a file, a folder or a socket. */
  exists(path: string): boolean
}

const here = (): Here => ({ env: process.env, uid: process.getuid?.(), exists: existsSync })

/**
 * Why systemd cannot be reached in this scope, and what to do about it; undefined where it should answer. To be asked
 * after systemctl has failed: only that knows all the places of a bus.
 */
export function outOfReach(scope: Scope, { env, uid, exists }: Here = here()): ServiceError | undefined {
  // sd_booted(3).
  if (!exists('/run/systemd/system'))
    return new ServiceError('E_SERVICE_UNSUPPORTED', 'systemd does not run this machine', {
      hint: `In a container, have whatever runs the container run "${serviceName} run", and restart it.`,
    })
  if (scope === 'system' || env.DBUS_SESSION_BUS_ADDRESS) return undefined
  const hasManager = (folder: string) =>
    ['bus', 'systemd/private'].some(socket => exists(join(folder, socket)))
  if (env.XDG_RUNTIME_DIR && hasManager(env.XDG_RUNTIME_DIR)) return undefined
  const usual = `/run/user/${uid}`
  const system = 'use --system for a service of the machine'
  return new ServiceError(
    'E_SERVICE_NO_SESSION',
    hasManager(usual)
      ? `XDG_RUNTIME_DIR does not name the folder of this user's session, ${usual}`
      : 'this user has no session, whose systemd could be asked',
    {
      hint: hasManager(usual)
        ? `Set XDG_RUNTIME_DIR=${usual} and run this again, or ${system}.`
        : `Log in as this user (su and sudo make no session), or run "loginctl enable-linger" to have it without, or ${system}.`,
    },
  )
}
