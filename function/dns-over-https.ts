import type { LookupAddress } from 'node:dns'
import { Agent, request } from 'node:https'
import { decode, encode, type RecordType } from 'dns-packet'

export interface DnsAnswer {
  addresses: LookupAddress[]
  /** Seconds. */
  ttl: number
}

/** Milliseconds. */
const limitMs = 4_000
/** No DNS message is larger. Bytes. */
const largest = 65_535

/**
 * Asks a DNS-over-HTTPS server for a name's addresses of both families (RFC 8484). `locate` gives the
 * addresses of the server itself, which may be connected to; it is asked each time. The function that
 * comes back rejects when the name has none, or the server cannot be asked.
 */
export function httpsQuery(
  url: string,
  locate: (server: string) => Promise<LookupAddress[]>,
): (host: string) => Promise<DnsAnswer> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const server = new URL(url).hostname.replace(/^\[|\]$/g, '')
  return async host => {
    const servers = await locate(server)
    const ask = (type: RecordType, family: number) => askOne({ url, agent, servers, host, type, family })
    const answers = (await Promise.all([ask('AAAA', 6), ask('A', 4)])).flat()
    if (answers.length === 0) throw new Error(`${host} has no address`)
    return { addresses: answers, ttl: Math.min(...answers.map(({ ttl }) => ttl)) }
  }
}

// --- internal ---

interface Question {
  url: string
  agent: Agent
  servers: LookupAddress[]
  host: string
  type: RecordType
  family: number
}

async function askOne({ type, family, host, ...server }: Question) {
  const query = encode({ type: 'query', id: 0, flags: 0x0100, questions: [{ type, name: host }] })
  const { answers = [] } = decode(await post(server, query))
  return answers.flatMap(answer =>
    (answer.type === 'A' || answer.type === 'AAAA') && answer.type === type
      ? [{ address: answer.data, family, ttl: answer.ttl ?? 0 }]
      : [],
  )
}

/** No redirect is followed: it could lead where the server itself may not be. */
function post({ url, agent, servers }: Pick<Question, 'url' | 'agent' | 'servers'>, body: Buffer) {
  return new Promise<Buffer>((resolve, reject) => {
    const asked = request(
      url,
      {
        agent,
        method: 'POST',
        headers: {
          'content-type': 'application/dns-message',
          'content-length': body.length,
          accept: 'application/dns-message',
        },
        signal: AbortSignal.timeout(limitMs),
        // The runtime looks nothing up by itself: what is connected to is what was allowed.
        lookup: (_host, options, callback) => {
          const [first] = servers
          if (options.all) callback(null, servers)
          else callback(null, first!.address, first!.family)
        },
      },
      response => {
        const chunks: Buffer[] = []
        let length = 0
        response.on('data', (chunk: Buffer) => {
          length += chunk.length
          if (length > largest) asked.destroy(new Error(`${url} answered with more than a DNS message`))
          else chunks.push(chunk)
        })
        response.on('error', reject)
        response.on('end', () => {
          if (response.statusCode === 200) resolve(Buffer.concat(chunks))
          else reject(new Error(`${url} answered ${response.statusCode}`))
        })
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })
}
