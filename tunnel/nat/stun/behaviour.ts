import { type Endpoint, sameEndpoint } from '../../net/endpoint.ts'
import type { UdpSocket } from '../../net/udp/socket.ts'
import { createRequester, type Requester, type View } from './transaction.ts'

// How a NAT maps and filters, found out with one server that has two addresses and two ports (RFC 5780, section 4).

/** What a NAT's mapping, or its filter, goes by (RFC 4787, sections 4.1 and 5). */
export type Behaviour =
  | 'endpoint-independent'
  | 'address-dependent'
  | 'address-and-port-dependent'
  | 'unknown'

/** A server that can be asked for this: it has told of another address and another port of its own. */
export function hasAlternate({ from, other }: View): boolean {
  return other !== undefined && other.address !== from.address && other.port !== from.port
}

/** The mapping tests (section 4.3), on the socket whose first view is given; needs `hasAlternate`. */
export async function mappingTests(requester: Requester, { from, mapped, other }: View): Promise<Behaviour> {
  const alternate = other!
  const [second, third] = await Promise.all([
    requester.ask({ address: alternate.address, port: from.port }),
    requester.ask(alternate),
  ])
  if (!second || !third) return 'unknown'
  if (sameEndpoint(mapped, second.mapped)) return 'endpoint-independent'
  return sameEndpoint(second.mapped, third.mapped) ? 'address-dependent' : 'address-and-port-dependent'
}

/**
 * The filtering tests (section 4.4), on a socket of their own: what the mapping tests sent to would be let in.
 * An answer that was not heard counts as filtered, so the server must be known to send them: `hasAlternate`.
 */
export async function filteringTests(socket: UdpSocket, server: Endpoint): Promise<Behaviour> {
  const requester = createRequester(socket)
  try {
    const view = await requester.ask(server)
    if (!view?.other) return 'unknown'
    const { other } = view
    const [elsewhere, otherPort] = await Promise.all([
      requester.ask(server, 'address-and-port'),
      requester.ask(server, 'port'),
    ])
    // A server that answers such a request from where it was sent to does not do what it says.
    if ([elsewhere, otherPort].some(answer => answer && sameEndpoint(answer.from, server))) return 'unknown'
    if (elsewhere?.from.address === other.address) return 'endpoint-independent'
    return otherPort?.from.port === other.port ? 'address-dependent' : 'address-and-port-dependent'
  } finally {
    requester.close()
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
): Promise<boolean | undefined> {
  const requesters = sockets.map(createRequester)
  const [first, second] = requesters as [Requester, Requester]
  try {
    const [a, b] = await Promise.all([first.ask(server), second.ask(server)])
    if (!a || !b) return undefined
    const heard = Promise.withResolvers<true>()
    for (const requester of requesters) requester.onRequest = () => heard.resolve(true)
    void first.ask(b.mapped)
    void second.ask(a.mapped)
    return await Promise.race([heard.promise, pause(hairpinLimitMs).then(() => false)])
  } finally {
    for (const requester of requesters) requester.close()
  }
}

// --- internal ---

const pause = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))
