import { lookup } from 'node:dns/promises'
import { type Endpoint, formatEndpoint, sameEndpoint } from '../../net/endpoint.ts'
import type { UdpSocket } from '../../net/udp/socket.ts'
import type { Mapping } from './mapping.ts'
import { bindingRequest, parseStun } from './message.ts'
import type { StunServerName } from './server-name.ts'

export interface DiscoverOptions {
  /** How many servers' views are wanted, 1 by default: so many are asked at once. Two tell how the NAT maps. */
  want?: number
  /** Limit for all of it in milliseconds, 8,000 by default. */
  limitMs?: number
  signal?: AbortSignal
}

/** No server answered; `tried` says what became of each. */
export class StunError extends Error {
  override name = 'StunError'
  constructor(readonly tried: { server: string; outcome: string }[]) {
    const list = tried.map(({ server, outcome }) => `${server} (${outcome})`).join(', ')
    super(
      `no STUN server answered: ${list}. UDP may be blocked on this network, or the servers may be wrong: try --stun host:port with another server.`,
    )
  }
}

/** First retransmission time-out, doubled each time (RFC 8489, section 6.2.1). */
const retransmitMs = 500
/** A server that is silent this long is not waited for: the next is asked as well. */
const nextServerMs = 500
/** One view will do: the others that are wanted are waited for no longer than this after the first. */
const furtherViewsMs = 300
const silent = 'no answer'

/**
 * Asks STUN servers for the public address of this socket, the next in turn where one is silent,
 * retransmitting as RFC 8489 says. Takes over `socket.onDatagram` while it runs. Gives at least one
 * mapping, in order of arrival, or throws a StunError when all are silent within the limit.
 */
export async function discover(
  socket: UdpSocket,
  servers: StunServerName[],
  options: DiscoverOptions = {},
): Promise<Mapping[]> {
  const { want = 1, limitMs = 8_000, signal } = options
  signal?.throwIfAborted()
  const mappings: Mapping[] = []
  const outcomes = servers.map(({ host, port }) => ({ server: `${host}:${port}`, outcome: 'not asked' }))
  const waiting = new Map<string, { index: number; address: Endpoint }>()
  const timers = new Set<ReturnType<typeof setTimeout>>()
  const { promise, resolve, reject } = Promise.withResolvers<void>()

  const after = (ms: number, action: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      action()
    }, ms)
    timers.add(timer)
  }

  let over = false
  let asked = 0
  const askNext = () => {
    const index = asked++
    if (index < servers.length) void ask(index)
    else if (outcomes.every(({ outcome }) => outcome.startsWith('name'))) resolve()
  }

  const ask = async (index: number) => {
    const { host, port } = servers[index]!
    outcomes[index]!.outcome = silent
    after(nextServerMs, () => outcomes[index]!.outcome === silent && askNext())
    let address: Endpoint
    try {
      address = { address: (await lookup(host, { family: 4 })).address, port }
    } catch {
      outcomes[index]!.outcome = 'name not found'
      return askNext()
    }
    if (over) return
    const { datagram, transactionId } = bindingRequest()
    waiting.set(transactionId, { index, address })
    const transmit = (timeout: number) => {
      socket.send(datagram, address)
      after(timeout, () => waiting.has(transactionId) && transmit(timeout * 2))
    }
    transmit(retransmitMs)
  }

  socket.onDatagram = (datagram, address, port) => {
    const message = parseStun(datagram)
    const request = message && waiting.get(message.transactionId)
    if (!message || !request || !sameEndpoint(request.address, { address, port })) return
    waiting.delete(message.transactionId)
    if (message.kind !== 'success' || !message.mapped) {
      outcomes[request.index]!.outcome = 'refused'
      return askNext()
    }
    outcomes[request.index]!.outcome = formatEndpoint(message.mapped)
    mappings.push({ server: outcomes[request.index]!.server, mapped: message.mapped })
    if (mappings.length >= Math.min(want, servers.length)) resolve()
    else after(furtherViewsMs, resolve)
  }

  const abort = () => reject(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  after(limitMs, resolve)
  for (let views = 0; views < want; views++) askNext()
  try {
    await promise
  } finally {
    over = true
    socket.onDatagram = () => {}
    for (const timer of timers) clearTimeout(timer)
    timers.clear()
    waiting.clear()
    signal?.removeEventListener('abort', abort)
  }
  if (mappings.length === 0) throw new StunError(outcomes)
  return mappings
}
