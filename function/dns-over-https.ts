import type { LookupAddress } from 'node:dns'
import { decode, encode, type RecordType } from 'dns-packet'

export interface DnsAnswer {
  addresses: LookupAddress[]
  /** Seconds. */
  ttl: number
}

const limitMs = 4_000

/** Asks a DNS-over-HTTPS server for a name's addresses of both families (RFC 8484). Rejects when it has none. */
export async function queryHttps(url: string, host: string): Promise<DnsAnswer> {
  const answers = (await Promise.all([ask(url, host, 'AAAA', 6), ask(url, host, 'A', 4)])).flat()
  if (answers.length === 0) throw Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' })
  return { addresses: answers, ttl: Math.min(...answers.map(({ ttl }) => ttl)) }
}

// --- internal ---

async function ask(url: string, host: string, type: RecordType, family: number) {
  const query = encode({ type: 'query', id: 0, flags: 0x0100, questions: [{ type, name: host }] })
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/dns-message', accept: 'application/dns-message' },
    body: new Uint8Array(query),
    signal: AbortSignal.timeout(limitMs),
  })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  const { answers = [] } = decode(Buffer.from(await response.arrayBuffer()))
  return answers.flatMap(answer =>
    (answer.type === 'A' || answer.type === 'AAAA') && answer.type === type
      ? [{ address: answer.data, family, ttl: answer.ttl ?? 0 }]
      : [],
  )
}
