import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type Answer, decode, encode, type Packet, type StringAnswer } from 'dns-packet'

/** What a name has: addresses of either family and their time to live, or a response code for a failure. */
export type Records = { addresses: string[]; ttl?: number } | { failure: 'SERVFAIL' | 'NXDOMAIN' }

/** Answers for a name; asked for each query, so that a name may change its mind. */
export type Zone = (name: string, type: 'A' | 'AAAA') => Records | undefined

export interface DnsServer {
  address: string
  /** Names and types that were asked for, one text a query: `a.example A`. */
  queries: string[]
  close(): void
}

/** A DNS server on port 53 of an address of this machine's that nobody else uses, or of the one given. Needs root. */
export async function dnsServer(zone: Zone, address = loopback()): Promise<DnsServer> {
  const queries: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (message, { address, port }) => {
    const query = decode(message)
    for (const { name, type } of query.questions ?? []) queries.push(`${name} ${type}`)
    socket.send(encode(answerTo(query, zone)), port, address)
  })
  socket.bind(53, address)
  await once(socket, 'listening')
  return { address, queries, close: () => socket.close() }
}

/** The zone's answer to a query. */
export function answerTo(query: Packet, zone: Zone): Packet {
  const [question] = query.questions ?? []
  const records = question && isAddress(question.type) ? zone(question.name, question.type) : undefined
  const failure = !records || 'failure' in records
  const recursion = 0x0180
  const code = !failure ? 0 : records && records.failure === 'SERVFAIL' ? 2 : 3
  const answers: Answer[] =
    failure || !question
      ? []
      : records.addresses
          .filter(address => (question.type === 'AAAA') === address.includes(':'))
          .map(data => ({
            type: question.type as StringAnswer['type'],
            name: question.name,
            ttl: records.ttl ?? 60,
            data,
          }))
  return {
    type: 'response',
    id: query.id ?? 0,
    flags: recursion | code,
    questions: query.questions ?? [],
    answers,
  }
}

// --- internal ---

const isAddress = (type: string): type is 'A' | 'AAAA' => type === 'A' || type === 'AAAA'
const loopback = () => `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`
