import { defaultStunServers, parseStunServers, type StunServerName } from '../tunnel/nat/stun/server-name.ts'
import { parseTurnCredentials, type TurnCredentials } from '../tunnel/nat/turn/credentials.ts'
import { type RelaySource, relaySource } from '../tunnel/nat/turn/source.ts'
import { parseTurnServers, type TurnServerName } from '../tunnel/nat/turn/uri.ts'
import { type DnsServer, parseDnsServer } from '../tunnel/net/dns-server.ts'
import { type EngineName, engineNames } from '../tunnel/quic/engines/engines.ts'
import { RefusalError } from '../tunnel/signalling/refusal.ts'

/** What the deployment says; the client has no part in it. */
export interface Settings {
  stunServers: StunServerName[]
  /** The exit may reach private, loopback and link-local targets. */
  allowPrivate: boolean
  /** Where names are looked up. */
  dnsServer: DnsServer
  /** Gives the function's address by HTTPS, where no STUN server answers; undefined where none is to be asked. */
  addressService: string | undefined
  /** What lends the function an address, where the deployment names a TURN server. */
  relay: RelaySource | undefined
  /** What runs QUIC; undefined: the preferred engine of those that the bundle brings. */
  engine: EngineName | undefined
  region: string
}

/** AWS's own. */
export const defaultAddressService = 'https://checkip.amazonaws.com'

/** Reads the function's environment. Throws a RefusalError that names the variable that is malformed. */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const read = <T>(variable: string, parse: (text: string | undefined) => T): T => {
    try {
      return parse(env[variable])
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new RefusalError('E_EXIT_SETTINGS', `the function's setting ${variable}: ${reason}`)
    }
  }
  return {
    stunServers: read('STUN_SERVERS', text => parseStunServers(text || defaultStunServers.join(','))),
    allowPrivate: env.ALLOW_PRIVATE === 'true',
    dnsServer: read('DNS_SERVER', parseDnsServer),
    addressService: read('ADDRESS_SERVICE', parseAddressService),
    relay: readRelay(
      read('TURN_SERVERS', text => parseTurnServers(text ?? '')),
      read('TURN_AUTH', text => (text ? parseTurnCredentials(text) : undefined)),
    ),
    engine: read('QUIC_ENGINE', parseEngine),
    region: env.AWS_REGION ?? 'unknown',
  }
}

// --- internal ---

/** For all sessions of the process: it remembers whether the servers are worth waiting for. */
let relay: { key: string; source: RelaySource } | undefined

function readRelay(
  servers: TurnServerName[],
  credentials: TurnCredentials | undefined,
): RelaySource | undefined {
  if (servers.length === 0) return undefined
  if (!credentials)
    throw new RefusalError('E_EXIT_SETTINGS', "the function's setting TURN_AUTH: TURN_SERVERS needs it")
  const key = JSON.stringify([servers, credentials])
  if (relay?.key !== key) relay = { key, source: relaySource({ servers, credentials }) }
  return relay.source
}

function parseEngine(text = 'auto'): EngineName | undefined {
  if (text === '' || text === 'auto') return undefined
  const name = engineNames.find(each => each === text)
  if (!name) throw new RangeError(`'${text}' is no engine: give auto, ${engineNames.join(', ')}`)
  return name
}

function parseAddressService(text = ''): string | undefined {
  const url = text === '' ? defaultAddressService : text
  if (url === 'none') return undefined
  if (!URL.canParse(url) || new URL(url).protocol !== 'https:')
    throw new RangeError(`'${url}' is not an address service: give an https URL, or none`)
  return url
}
