import { promises as dns, type LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import { type DnsAnswer, queryHttps } from './dns-over-https.ts'
import { isPublicAddress } from './guard.ts'

/** Where names are looked up: the function's own resolver, a DNS server's address, or a DNS-over-HTTPS URL. */
export type DnsServer = 'system' | { address: string } | { url: string }

export interface Resolver {
  /**
   * The addresses of a host that the exit may reach; an address stands for itself. Rejects with a
   * NotAllowedError when there are only others, and with the system's error when there are none.
   */
  resolve(host: string): Promise<LookupAddress[]>
}

/** A host has addresses, and none of them is one that this exit reaches. */
export class NotAllowedError extends Error {
  override name = 'NotAllowedError'
}

/** The system's resolver tells no time to live: its answers are good for this long. Seconds. */
const systemTtl = 5
/** Times to live are kept within these. Seconds. */
const shortestTtl = 1
const longestTtl = 300
const mostCached = 1_000

/** Makes a resolver with a cache of its own. Throws a RangeError for a server that is none. */
export function createResolver(server: DnsServer, allowPrivate: boolean): Resolver {
  const query = queryBy(server)
  const cache = new Map<string, { addresses: Promise<LookupAddress[]>; until: number }>()

  const look = (host: string): Promise<LookupAddress[]> => {
    const known = cache.get(host)
    if (known && known.until > performance.now()) return known.addresses
    const entry = { addresses: Promise.resolve<LookupAddress[]>([]), until: Number.POSITIVE_INFINITY }
    entry.addresses = query(host).then(
      ({ addresses, ttl }) => {
        entry.until = performance.now() + Math.min(Math.max(ttl, shortestTtl), longestTtl) * 1_000
        return addresses
      },
      error => {
        cache.delete(host)
        throw error
      },
    )
    cache.delete(host)
    cache.set(host, entry)
    const [oldest] = cache.keys()
    if (cache.size > mostCached && oldest !== undefined) cache.delete(oldest)
    return entry.addresses
  }

  return {
    async resolve(host) {
      const family = isIP(host)
      const addresses = family ? [{ address: host, family }] : await look(host)
      // Checked at every use, on what is then connected to: a name that changes its mind gains nothing.
      const allowed = addresses.filter(({ address }) => allowPrivate || isPublicAddress(address))
      if (allowed.length > 0) return allowed
      const list = addresses.map(({ address }) => address).join(', ')
      throw new NotAllowedError(`${list} is not a public address, and this exit reaches no other`)
    },
  }
}

/** Reads what a client or deployment says: empty for the system's, an IP address, or an https URL. */
export function parseDnsServer(text: string | undefined): DnsServer {
  if (!text) return 'system'
  if (isIP(text)) return { address: text }
  if (URL.canParse(text) && new URL(text).protocol === 'https:') return { url: text }
  throw new RangeError(`'${text}' is not a DNS server: give an IP address or an https URL`)
}

// --- internal ---

function queryBy(server: DnsServer): (host: string) => Promise<DnsAnswer> {
  if (server === 'system')
    return async host => ({ addresses: await dns.lookup(host, { all: true }), ttl: systemTtl })
  if ('url' in server) return host => queryHttps(server.url, host)
  const resolver = new dns.Resolver({ timeout: 2_000, tries: 2 })
  resolver.setServers([server.address])
  return async host => {
    const [four, six] = await Promise.allSettled([
      resolver.resolve4(host, { ttl: true }),
      resolver.resolve6(host, { ttl: true }),
    ])
    const records = [
      ...(six.status === 'fulfilled' ? six.value.map(record => ({ ...record, family: 6 })) : []),
      ...(four.status === 'fulfilled' ? four.value.map(record => ({ ...record, family: 4 })) : []),
    ]
    if (records.length === 0) throw four.status === 'rejected' ? four.reason : new Error('no addresses')
    return { addresses: records, ttl: Math.min(...records.map(({ ttl }) => ttl)) }
  }
}
