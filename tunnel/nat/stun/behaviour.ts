import { setTimeout as sleep } from 'node:timers/promises'
import { type Endpoint, sameEndpoint } from '../../net/endpoint.ts'
import type { UdpSocket } from '../../net/udp/socket.ts'
import { createStunClient, type StunClient, type StunClientOptions } from './client.ts'
import type { Behaviour, View } from './mapping.ts'

// How a NAT maps and filters, found out with one server that has two addresses and two ports (RFC 5780, section 4).

/** A server that can be asked for this: it has told of another address and another port of its own. */
export function hasAlternate({ from, other }: View): boolean {
  return other !== undefined && other.address !== from.address && other.port !== from.port
}

/** The mapping tests (section 4.3), on the socket whose first view is given; needs `hasAlternate`. */
export async function mappingTests(client: StunClient, { from, mapped, other }: View): Promise<Behaviour> {
  const alternate = other!
  const [{ view: second }, { view: third }] = await Promise.all([
    client.ask({ address: alternate.address, port: from.port }),
    client.ask(alternate),
  ])
  if (!second || !third) return 'unknown'
  if (sameEndpoint(mapped, second.mapped)) return 'endpoint-independent'
  return sameEndpoint(second.mapped, third.mapped) ? 'address-dependent' : 'address-and-port-dependent'
}

/**
 * The filtering tests (section 4.4), on a socket of their own: what the mapping tests sent to would be let in.
 * An answer that was not heard counts as filtered, so the server must be known to send them: `hasAlternate`.
 */
export async function filteringTests(
  socket: UdpSocket,
  server: Endpoint,
  options: StunClientOptions,
): Promise<Behaviour> {
  const client = createStunClient(socket, options)
  try {
    const { view } = await client.ask(server)
    if (!view?.other) return 'unknown'
    const { other } = view
    const [{ view: elsewhere }, { view: otherPort }] = await Promise.all([
      client.ask(server, { change: 'address-and-port' }),
      client.ask(server, { change: 'port' }),
    ])
    // A server that answers such a request from where it was sent to does not do what it says.
    if ([elsewhere, otherPort].some(answer => answer && sameEndpoint(answer.from, server))) return 'unknown'
    if (elsewhere?.from.address === other.address) return 'endpoint-independent'
    return otherPort?.from.port === other.port ? 'address-dependent' : 'address-and-port-dependent'
  } finally {
    client.close()
  }
}

/** Time for three requests each way, the first of which may come before the other side has sent. Milliseconds. */
const hairpinLimitMs = 1_000

/**
 * Whether two sockets behind this NAT reach each other by their outside addresses (section 4.5). Both send, so that
 * filters do not stand in the way; undefined when the server does not answer.
 */
export async function hairpins(
  sockets: readonly [UdpSocket, UdpSocket],
  server: Endpoint,
  options: StunClientOptions,
): Promise<boolean | undefined> {
  const [first, second] = [createStunClient(sockets[0], options), createStunClient(sockets[1], options)]
  const over = new AbortController()
  try {
    const [{ view: a }, { view: b }] = await Promise.all([first.ask(server), second.ask(server)])
    if (!a || !b) return undefined
    const heard = Promise.withResolvers<true>()
    for (const client of [first, second]) client.onRequest = () => heard.resolve(true)
    void first.ask(b.mapped)
    void second.ask(a.mapped)
    const late = sleep(hairpinLimitMs, false, { signal: over.signal }).catch(() => false)
    return await Promise.race([heard.promise, late])
  } finally {
    over.abort()
    first.close()
    second.close()
  }
}
