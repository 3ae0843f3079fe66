import { isDeepStrictEqual } from 'node:util'
import { errorData } from '../../tunnel/net/coded-error.ts'
import type { Login } from '../client/accounts/login.ts'
import type { Change, Events } from '../client/stats/events.ts'
import type { Config } from '../config/load.ts'
import { entry, keys, type Values } from '../config/settings.ts'
import { type ReloadReport, reloadError } from '../control/reload.ts'
import { UsageError } from '../input/usage-error.ts'

/** The state that a reload replaces: the settings, and the logins in the files that they name. */
export interface Settled {
  config: Config
  logins: readonly Login[]
}

export interface ReloadOptions<S extends Settled> {
  events: Events
  /** As it was started with. */
  settled: S
  /** The settings as they are now. */
  read(): Promise<Config>
  /** The logins that go with settings. Throws for a file that cannot be used. */
  settle(config: Config): Promise<S>
  /** Applies them; when it throws, nothing has changed. */
  apply(settled: S): void
}

/**
 * Gives the function that reads the settings again and applies what can be applied while the proxy runs. One that fails
 * has changed nothing.
 */
export function reloader<S extends Settled>(options: ReloadOptions<S>): () => Promise<ReloadReport> {
  let { settled } = options
  /** Settings that need a restart are compared with those at the start. */
  const atStart = settled.config.values
  let last: Promise<unknown> = Promise.resolve()

  const reload = async (): Promise<ReloadReport> => {
    const read = await options.read()
    // An editor may be about to restore it, and the defaults would let anybody in.
    if (settled.config.fileFound && !read.fileFound)
      throw new UsageError(`${read.file}, which was read before, is no longer there`, {
        code: 'E_CONFIG_NOT_FOUND',
      })
    const changed = changes(atStart, read.values).filter(({ key }) => !entry(key).live)
    const values = Object.fromEntries(
      keys.map(key => [key, entry(key).live ? read.values[key] : atStart[key]]),
    ) as Values
    const before = settled
    const next = await options.settle({ ...read, values })
    options.apply(next)
    settled = next
    return {
      applied: changes(before.config.values, values),
      needRestart: changed,
      logins: loginChanges(before.logins, next.logins),
    }
  }
  const tell = async (): Promise<ReloadReport> => {
    try {
      const report = await reload()
      options.events.emit({ type: 'config.reloaded', ...report })
      return report
    } catch (cause) {
      const error = reloadError(cause)
      options.events.emit({ type: 'config.rejected', ...errorData(error) })
      throw error
    }
  }
  return () => {
    // One after another, wherever they come from.
    const result = last.then(tell)
    last = result.catch(() => {})
    return result
  }
}

// --- internal ---

const changes = (from: Values, to: Values) =>
  keys
    .filter(key => !isDeepStrictEqual(from[key], to[key]))
    .map(key => ({ key, from: from[key], to: to[key] }) satisfies Change)

function loginChanges(from: readonly Login[], to: readonly Login[]): ReloadReport['logins'] {
  const known = new Map(from.map(login => [login.user, login]))
  const now = new Map(to.map(login => [login.user, login]))
  const users = [...now.keys()]
  return {
    added: users.filter(user => !known.has(user)),
    removed: [...known.keys()].filter(user => !now.has(user)),
    changed: users.filter(user => known.has(user) && !isDeepStrictEqual(known.get(user), now.get(user))),
  }
}
