import { isIP } from 'node:net'
import { stringify } from 'yaml'
import { formatEndpoint } from '../../tunnel/net/endpoint.ts'
import { UsageError } from '../input/usage-error.ts'

// The configuration of other programs to use the proxy.

/** Where a client finds the proxy, and as whom. */
export interface ProxyAddress {
  host: string
  /** 1 to 65535. */
  port: number
  login?: { user: string; password: string }
}

export interface ClientConfig {
  /** What to do with the text. */
  use: string
  /** Throws a UsageError for what the program has no way to write. */
  text(proxy: ProxyAddress): string
}

/** The formats, by name. In each of them names are resolved at the exit. */
export const clientConfigs: Record<string, ClientConfig> = {
  curlrc: {
    use: 'add it to ~/.curlrc, or give the file to curl -K',
    text: proxy =>
      lines(`proxy = ${quoted(proxyUrl('socks5h', proxy))}`, `noproxy = ${quoted(notProxied.join(','))}`),
  },
  git: {
    use: 'add it to ~/.gitconfig, or give the file to git -c include.path=FILE; it is for https:// alone',
    text: proxy => lines('[http]', `\tproxy = ${quoted(proxyUrl('socks5h', proxy))}`),
  },
  proxychains: {
    use: 'write it to ~/.proxychains/proxychains.conf, or give the file to proxychains4 -f',
    text: proxychains,
  },
  'sing-box': {
    use: 'start sing-box with this file beside yours, as in sing-box run -c config.json -c FILE, and route to it',
    text: proxy => lines(JSON.stringify({ outbounds: [singBoxOutbound(proxy)] }, null, 2)),
  },
  mihomo: {
    use: 'add it to the proxies of config.yaml, and route to it',
    text: proxy => stringify({ proxies: [mihomoProxy(proxy)] }),
  },
}

/** Addresses of this machine are reached without the proxy. */
export const notProxied = ['localhost', '127.0.0.1', '::1']

/** `socks5h://user:password@host:port`. */
export function proxyUrl(scheme: 'socks5h' | 'http', { host, port, login }: ProxyAddress): string {
  const as = login ? `${escaped(login.user)}:${escaped(login.password)}@` : ''
  return `${scheme}://${as}${formatEndpoint({ address: host, port })}`
}

// --- internal ---

const name = 'lambda-nat-proxy'

const lines = (...of: string[]) => `${of.join('\n')}\n`

/** Percent-encodes every character that means something in a URL or a shell (RFC 3986, section 2.1). */
const escaped = (text: string) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/** As curl and Git read a value: a backslash before a quote and a backslash. */
const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`

const loginFields = ({ login }: ProxyAddress) => login && { username: login.user, password: login.password }

const singBoxOutbound = (proxy: ProxyAddress) => ({
  type: 'socks',
  tag: name,
  version: '5',
  server: proxy.host,
  server_port: proxy.port,
  ...loginFields(proxy),
})

const mihomoProxy = (proxy: ProxyAddress) => ({
  name,
  type: 'socks5',
  server: proxy.host,
  port: proxy.port,
  ...loginFields(proxy),
  udp: true,
})

/** Longer than its own defaults: a first connection may wait for an exit to start. */
const proxychainsWaitMs = 30_000

/** Its fields are separated by blanks and cannot be quoted. */
function proxychains({ host, port, login }: ProxyAddress): string {
  if (isIP(host) === 0)
    throw new UsageError(`proxychains takes an address, not the name ${host}: give one with --host`)
  const fields = ['socks5', host, port, ...(login ? [login.user, login.password] : [])]
  if (/\s/.test(`${login?.user}${login?.password}`))
    throw new UsageError('proxychains cannot take a user name or password with blanks in it')
  return lines(
    'strict_chain',
    'proxy_dns',
    'remote_dns_subnet 224',
    `tcp_read_time_out ${proxychainsWaitMs}`,
    `tcp_connect_time_out ${proxychainsWaitMs}`,
    'localnet 127.0.0.0/255.0.0.0',
    'localnet ::1/128',
    '[ProxyList]',
    fields.join(' '),
  )
}
