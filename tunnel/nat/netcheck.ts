import type { Endpoint } from '../net/endpoint.ts'
import { localAddressTowards } from '../net/local-address.ts'
import { openUdpSocket } from '../net/udp/open.ts'
import type { UdpSocket } from '../net/udp/socket.ts'
import { type NatKind, natKind } from './nat-kind.ts'
import { filteringTests, hairpins, hasAlternate, mappingTests } from './stun/behaviour.ts'
import { createStunClient, type ServerReport, type StunClient } from './stun/client.ts'
import { type Behaviour, mappingOf, type View } from './stun/mapping.ts'
import type { StunServerName } from './stun/server-name.ts'

/** The network as UDP sees it from here. */
export interface NetcheckReport {
  /** In the order in which they were given. */
  servers: ServerReport[]
  /** Where the world sees a socket of this machine; undefined when no server answers. */
  mapped?: Endpoint
  /** Whether that is an address and port of this machine's own: there is no NAT. */
  isOwn: boolean
  mapping: Behaviour
  filtering: Behaviour
  /** What these make of the NAT. */
  kind: NatKind
  /** The server of RFC 5780's tests; undefined when none could do them. */
  testedWith?: string
  hairpinning?: boolean
}

/** More impatient than RFC 8489, since here silence is a result as well: four requests have gone unanswered by the limit. */
const stunOptions = { retransmitMs: 250, limitMs: 2_500 }

/** Asks all servers at once, then has one of them show how the NAT maps and filters; some 8 seconds at the most. */
export async function netcheck(names: readonly StunServerName[]): Promise<NetcheckReport> {
  const sockets: UdpSocket[] = []
  const open = async () => {
    const socket = await openUdpSocket()
    sockets.push(socket)
    return socket
  }
  try {
    const socket = await open()
    const client = createStunClient(socket, stunOptions)
    const servers = await Promise.all(names.map(client.askByName))
    const views = servers.flatMap(({ view }) => view ?? [])
    const [first] = views
    if (!first) return { servers, isOwn: false, mapping: 'unknown', filtering: 'unknown', kind: 'unknown' }
    const { from, mapped } = first
    const [behaviour, hairpinning] = await Promise.all([
      testBehaviour(client, views, open),
      hairpins([await open(), await open()], from, stunOptions),
    ])
    const local = await localAddressTowards(from)
    const isOwn = mapped.port === socket.local.port && mapped.address === local
    return {
      servers,
      mapped,
      isOwn,
      ...behaviour,
      kind: natKind({ isOwn, ...behaviour }),
      ...(hairpinning !== undefined && { hairpinning }),
    }
  } finally {
    for (const socket of sockets) socket.close()
  }
}

// --- internal ---

/** By the first server that does RFC 5780; else two servers' views tell how the NAT maps, and nothing how it filters. */
async function testBehaviour(
  client: StunClient,
  views: readonly View[],
  open: () => Promise<UdpSocket>,
): Promise<Pick<NetcheckReport, 'mapping' | 'filtering' | 'testedWith'>> {
  for (const view of views.filter(hasAlternate)) {
    const [mapping, filtering] = await Promise.all([
      mappingTests(client, view),
      filteringTests(await open(), view.from, stunOptions),
    ])
    // Silent at its other address it would make every filter look strict.
    if (mapping !== 'unknown') return { mapping, filtering, testedWith: view.server }
  }
  return { mapping: mappingOf(views), filtering: 'unknown' }
}
