import { formatEndpoint } from '../../../tunnel/net/endpoint.ts'
import { isLoopback } from '../../input/loopback.ts'
import type { Scheme } from '../../input/scheme.ts'
import { throwTogether } from '../../input/together.ts'
import { UsageError } from '../../input/usage-error.ts'
import { LoginTable } from '../accounts/access.ts'
import type { Login } from '../accounts/login.ts'
import { Verifier } from '../accounts/verifier.ts'
import { type ListenerOptions, type OpenListener, openListener } from './listener.ts'

/** A listener that anybody could use. */
export class OpenProxyError extends UsageError<'E_OPEN_PROXY'> {
  override readonly name = 'OpenProxyError'

  constructor({ host, port }: { host: string; port: number }) {
    const at = formatEndpoint({ address: host, port })
    super(`${at} can be reached from other machines, and needs no login`, { code: 'E_OPEN_PROXY' })
  }
}

/** Where applications connect to. */
export interface Listener {
  scheme: Scheme
  /** Address to listen on. */
  host: string
  /** 0: any that is free. */
  port: number
  /** Who may use it; the proxy's own logins where none are given. */
  logins?: readonly Login[] | undefined
}

export interface ListenersSettings {
  listeners: readonly Listener[]
  /** Who may use the listeners; without any, everybody who can reach them. */
  logins?: readonly Login[] | undefined
  /** Lets others than this machine use a listener without a login. */
  allowOpen?: boolean | undefined
}

/** The listeners of a proxy, which come and go while it runs. */
export interface Listeners {
  /** In the order of the settings. */
  readonly open: readonly OpenListener[]
  /**
   * Opens those that are new, closes those that are gone and gives the others their logins. Throws a UsageError when
   * one cannot be had, or would serve anybody without a login, and an AggregateError of several: nothing has changed
   * then.
   */
  update(settings: ListenersSettings): void
  close(): void
}

interface Served {
  /** As it was asked for: port 0 stays 0. */
  wanted: Listener
  open: OpenListener
  access: LoginTable
}

/** `shared` is what all listeners have in common. */
export function createListeners(
  shared: Omit<ListenerOptions, 'scheme' | 'host' | 'port' | 'access'>,
): Listeners {
  const verifier = new Verifier()
  let served: Served[] = []
  return {
    get open() {
      return served.map(({ open }) => open)
    },
    update({ listeners, logins = [], allowOpen = false }) {
      const left = [...served]
      const errors: unknown[] = []
      const opened: OpenListener[] = []
      const next = listeners.flatMap(wanted => {
        const own = wanted.logins ?? logins
        try {
          if (own.length === 0 && !allowOpen && !isLoopback(wanted.host)) throw new OpenProxyError(wanted)
          const known = left.findIndex(
            ({ wanted: { host, port } }) => host === wanted.host && port === wanted.port,
          )
          const [kept] = known === -1 ? [] : left.splice(known, 1)
          if (kept) return [{ ...kept, wanted, logins: own }]
          const { scheme, host, port } = wanted
          const access = new LoginTable(own, verifier)
          const open = openListener({ ...shared, scheme, host, port, access })
          opened.push(open)
          return [{ wanted, open, access, logins: own }]
        } catch (error) {
          errors.push(error)
          return []
        }
      })
      if (errors.length > 0) {
        for (const listener of opened) listener.close()
        throwTogether(errors)
      }
      for (const { open, access, wanted, logins } of next) {
        open.serve(wanted.scheme)
        access.replace(logins)
      }
      for (const { open } of left) open.close()
      served = next
    },
    close() {
      for (const { open } of served) open.close()
    },
  }
}
