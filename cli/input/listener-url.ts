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
  // As http, so that address and port are read as in any URL; its own default port would be dropped.
  const url = URL.canParse(`x://${rest}`) ? new URL(`x://${rest}`) : undefined
  if (!url?.hostname || url.port === '') throw wrong('the address or the port is missing')
  if (url.username || url.password) throw wrong('put logins in a file, with ?auth-file=path')
  const authFile = url.searchParams.get('auth-file')
  return {
    scheme,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port),
    ...(authFile && { authFile }),
  }
}
