import { promises as dns, type LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import { BoundedMap } from '../tunnel/net/bounded-map.ts'
import { CodedError } from '../tunnel/net/coded-error.ts'
import type { DnsServer } from '../tunnel/net/dns-server.ts'
import { isPublicAddress } from '../tunnel/net/public-address.ts'
import { type DnsAnswer, httpsQuery } from './dns-over-https.ts'

export interface Resolver {
  /**
   * The addresses of a host that the exit may reach; an address stands for itself. Rejects with a
   * NotAllowedError when there are only others, and with a LookupError when there are none.
   */
  resolve(host: string): Promise<LookupAddress[]>
}

/** A host has addresses, and none of them is one that this exit reaches. */
export class NotAllowedError extends CodedError<'E_TARGET_NOT_ALLOWED'> {
  override name = 'NotAllowedError'
}

/** A host has no address, or none that could be found out: to a client it is the same. */
export class LookupError extends CodedError<'ENOTFOUND'> {
  override name = 'LookupError'
}

/** The system's resolver tells no time to live: its answers are good for this long. Seconds. */
const systemTtl = 5
/** Times to live are kept within these. Seconds. */
const shortestTtl = 1
const maxTtl = 300
const maxCached = 1_000

/** Makes a resolver with a cache of its own. */
export function createResolver(server: DnsServer, allowPrivate: boolean): Resolver {
  const query = queryBy(server, allowPrivate)
  const cache = new BoundedMap<string, { addresses: Promise<LookupAddress[]>; until: number }>(maxCached)

  const look = (host: string): Promise<LookupAddress[]> => {
    const known = cache.get(host)
    if (known && known.until > performance.now()) return known.addresses
    const entry = { addresses: Promise.resolve<LookupAddress[]>([]), until: Number.POSITIVE_INFINITY }
    entry.addresses = query(host).then(
      ({ addresses, ttl }) => {
        entry.until = performance.now() + Math.min(Math.max(ttl, shortestTtl), maxTtl) * 1_000
        return addresses
      },
      error => {
        cache.delete(host)
        throw lookupError(host, error)
      },
    )
    cache.set(host, entry)
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
      throw new NotAllowedError(
        'E_TARGET_NOT_ALLOWED',
        `${list} is not a public address, and this exit reaches no other`,
      )
    },
  }
}

// --- internal ---

function queryBy(server: DnsServer, allowPrivate: boolean): (host: string) => Promise<DnsAnswer> {
  if (server === 'system')
    return async host => ({ addresses: await dns.lookup(host, { all: true }), ttl: systemTtl })
  // The server is the client's choice, and so a target like any other.
  const { resolve: locate } = createResolver('system', allowPrivate)
  if ('url' in server) return httpsQuery(server.url, locate)
  const resolver = new dns.Resolver({ timeout: 2_000, tries: 2 })
  resolver.setServers([server.address])
  return async host => {
    await locate(server.address)
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

/** A DNS server that refused us is no target that did: the client hears only that there is no address. */
const lookupError = (host: string, error: Error) =>
  error instanceof NotAllowedError
    ? error
    : new LookupError('ENOTFOUND', `${host} cannot be looked up: ${error.message}`, { cause: error })
