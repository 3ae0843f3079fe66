import { chmodSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { ControlError } from './control-error.ts'

const program = 'lambda-nat-proxy'

/** Where a running proxy can be reached: a socket and the token for its API, named by the port of its first listener. */
export interface Place {
  port: number
  socket: string
  token: string
}

export const placeIn = (folder: string, port: number): Place => ({
  port,
  socket: join(folder, `${port}.sock`),
  token: join(folder, `${port}.token`),
})

/** The folder for this process's own socket (XDG Base Directory Specification). */
export const ownFolder = (): string => folders()[0]!

/** Makes it, for nobody else to look into. Throws a ControlError when it is somebody else's. */
export function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (process.platform === 'win32') return
  const found = lstatSync(folder)
  if (!found.isDirectory() || found.uid !== process.getuid?.())
    throw new ControlError('E_CONTROL_PATH', `${folder} belongs to another user`)
  chmodSync(folder, 0o700)
}

/** All sockets that this user's proxies, or the system's service, may have; those of dead processes among them. */
export const places = (): Place[] =>
  folders().flatMap(folder =>
    names(folder)
      .map(name => /^(\d{1,5})\.sock$/.exec(name)?.[1])
      .filter(port => port !== undefined)
      .map(port => placeIn(folder, Number(port))),
  )

// --- internal ---

/** The first is this process's; a proxy that was started with another environment has one of the others. */
function folders(): string[] {
  const { env, platform } = process
  if (platform === 'win32')
    return [join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), program, 'run')]
  const absolute = (path: string | undefined) => (path && isAbsolute(path) ? [path] : [])
  const state = absolute(env.XDG_STATE_HOME)[0] ?? join(homedir(), '.local/state')
  const own = [
    ...absolute(env.XDG_RUNTIME_DIR).map(folder => join(folder, program)),
    join(state, program, 'run'),
  ]
  const usual = env.XDG_RUNTIME_DIR ? [] : [`/run/user/${process.getuid?.()}/${program}`]
  // The last is the system's service's.
  return [...new Set([...own, ...usual, `/run/${program}`])]
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    // There is none, or it is not for this user.
    return []
  }
}
