import { defaultStunServers, parseStunServers, type StunServerName } from '../tunnel/nat/stun/server-name.ts'
import { type DnsServer, parseDnsServer } from '../tunnel/net/dns-server.ts'

/** What the deployment says; the client has no part in it. */
export interface Settings {
  stunServers: StunServerName[]
  /** The exit may reach private, loopback and link-local targets. */
  allowPrivate: boolean
  /** Where names are looked up. */
  dnsServer: DnsServer
  region: string
}

/** Reads the function's environment. Throws a RangeError that names what is malformed. */
export function readSettings(env: Record<string, string | undefined>): Settings {
  return {
    stunServers: parseStunServers(env.STUN_SERVERS || defaultStunServers.join(',')),
    allowPrivate: env.ALLOW_PRIVATE === 'true',
    dnsServer: parseDnsServer(env.DNS_SERVER),
    region: env.AWS_REGION ?? 'unknown',
  }
}
