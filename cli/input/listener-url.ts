import { type Scheme, schemes } from './scheme.ts'
import { UsageError } from './usage-error.ts'

/** A listener as a text says it. */
export interface ListenerUrl {
  scheme: Scheme
  host: string
  port: number
  /** Logins of its own. */
  authFile?: string
}

/** Reads `socks5://127.0.0.1:1081` or `http://0.0.0.0:8080?auth-file=path`. Throws a UsageError. */
export function parseListener(text: string): ListenerUrl {
  const wrong = (why: string) =>
    new UsageError(
      `'${text.replace(/\/\/[^@]*@/, '//')}' is not a listener: ${why}, as in http://127.0.0.1:8080`,
    )
  const [, name = '', rest = ''] = /^([a-z0-9]+):\/\/(.*)$/i.exec(text.trim()) ?? []
  const scheme = schemes.find(each => each === name.toLowerCase())
  if (!scheme) throw wrong(`it must begin with ${schemes.map(each => `${each}://`).join(', ')}`)
  // Of a scheme that no URL knows: http would drop its own default port.
  const url = URL.parse(`x://${rest}`)
  if (!url?.hostname || url.port === '') throw wrong('it needs an address and a port from 0 to 65535')
  if (url.username || url.password) throw wrong('put logins in a file, with ?auth-file=path')
  const [, authFile] = /^\?auth-file=([^&]+)$/.exec(url.search) ?? []
  // What is passed over might be the logins that were to be asked for.
  if (url.pathname || url.hash || (url.search && authFile === undefined))
    throw wrong('nothing but ?auth-file=path may follow the port')
  return {
    scheme,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port),
    ...(authFile !== undefined && { authFile: decoded(authFile) }),
  }
}

// --- internal ---

/** A path is written as it is, or percent-encoded as in a URL. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
