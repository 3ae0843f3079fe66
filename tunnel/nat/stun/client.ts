import { lookup } from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Endpoint, formatEndpoint, sameEndpoint } from '../../net/endpoint.ts'
import type { UdpSocket } from '../../net/udp/socket.ts'
import type { View } from './mapping.ts'
import { bindingRequest, type Change, parseStun } from './message.ts'
import type { StunServerName } from './server-name.ts'

/** What became of a request, or of looking the server's name up. */
export type Outcome = 'answered' | 'silent' | 'refused' | 'name-not-found'

/** What became of asking a server, for people and programs. */
export interface ServerReport {
  /** `host:port`, as it was asked for. */
  server: string
  /** `not-asked`: another server's view sufficed. */
  outcome: Outcome | 'not-asked'
  /** With `answered`. */
  view?: View
}

export interface AskOptions {
  /** Where the server is asked to answer from (CHANGE-REQUEST); from where it was sent to otherwise. */
  change?: Change
  /** What the server is called in its view; its address otherwise. */
  name?: string
}

export interface StunClientOptions {
  /** First retransmission time-out in milliseconds, doubled each time; 500 by default (RFC 8489, section 6.2.1). */
  retransmitMs?: number
  /** A server that is silent this long does not answer; 8,000 milliseconds by default. */
  limitMs?: number
}

/** Binding transactions on one socket, as many at a time as one likes. */
export interface StunClient {
  /** Sends a request until it is answered. Never rejects; silent at the limit and after close(). */
  ask(server: Endpoint, options?: AskOptions): Promise<ServerReport>
  /** The same by name, IPv4 only. A resolver that takes longer than the limit does not answer. */
  askByName(server: StunServerName): Promise<ServerReport>
  /** Somebody else's Binding request arrived. */
  onRequest: (from: Endpoint) => void
  /** Ends what is open; the socket is the caller's again. */
  close(): void
}

/** Takes over `socket.onDatagram` until it is closed. */
export function createStunClient(socket: UdpSocket, options: StunClientOptions = {}): StunClient {
  const { retransmitMs = 500, limitMs = 8_000 } = options
  const open = new Map<string, Transaction>()
  let closed = false

  const ask: StunClient['ask'] = (server, { change, name = formatEndpoint(server) } = {}) => {
    if (closed) return Promise.resolve({ server: name, outcome: 'silent' })
    const { datagram, transactionId } = bindingRequest(change)
    const started = performance.now()
    let timer: ReturnType<typeof setTimeout>
    const transmit = (timeout: number) => {
      socket.send(datagram, server)
      timer = setTimeout(() => transmit(timeout * 2), timeout)
    }
    return new Promise(resolve => {
      const limit = setTimeout(() => settle('silent'), limitMs)
      const settle: Transaction['settle'] = (outcome, heard) => {
        open.delete(transactionId)
        clearTimeout(timer)
        clearTimeout(limit)
        const view = heard && { ...heard, server: name, rttMs: performance.now() - started }
        resolve({ server: name, outcome, ...(view && { view }) })
      }
      open.set(transactionId, { server, mayMove: change !== undefined, settle })
      transmit(retransmitMs)
    })
  }

  const client: StunClient = {
    ask,
    async askByName({ host, port }) {
      const name = `${host}:${port}`
      const address = await addressOf(host, limitMs)
      return address === undefined
        ? { server: name, outcome: 'name-not-found' }
        : ask({ address, port }, { name })
    },
    onRequest() {},
    close() {
      closed = true
      socket.onDatagram = () => {}
      for (const { settle } of [...open.values()]) settle('silent')
    },
  }
  socket.onDatagram = (datagram, address, port) => {
    const message = parseStun(datagram)
    if (!message) return
    const from = { address, port }
    if (message.kind === 'request') return client.onRequest(from)
    const transaction = open.get(message.transactionId)
    // The 96 random bits tell whose answer it is; from elsewhere it may come only where that was asked for.
    if (!transaction || !(transaction.mayMove || sameEndpoint(from, transaction.server))) return
    const { kind, mapped, other } = message
    if (kind !== 'success' || !mapped) transaction.settle('refused')
    else transaction.settle('answered', { from, mapped, ...(other && { other }) })
  }
  return client
}

// --- internal ---

interface Transaction {
  server: Endpoint
  /** The answer may come from another address than was asked. */
  mayMove: boolean
  settle(outcome: Outcome, heard?: Omit<View, 'server' | 'rttMs'>): void
}

async function addressOf(host: string, limitMs: number): Promise<string | undefined> {
  const late = new AbortController()
  const found = lookup(host, { family: 4 }).then(
    ({ address }) => address,
    () => undefined,
  )
  const limit = sleep(limitMs, undefined, { signal: late.signal }).catch(() => undefined)
  return Promise.race([found, limit]).finally(() => late.abort())
}
