import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import {
  type Behaviour,
  filteringTests,
  hairpins,
  hasAlternate,
  mappingTests,
} from '../../tunnel/nat/stun/behaviour.ts'
import { mappingBehaviour } from '../../tunnel/nat/stun/mapping.ts'
import type { StunServerName } from '../../tunnel/nat/stun/server-name.ts'
import { createRequester, type Requester, type View } from '../../tunnel/nat/stun/transaction.ts'
import type { Endpoint } from '../../tunnel/net/endpoint.ts'
import { openUdpSocket } from '../../tunnel/net/udp/open.ts'
import type { UdpSocket } from '../../tunnel/net/udp/socket.ts'

/** What became of asking a STUN server. */
export interface ServerReport {
  server: string
  outcome: 'answers' | 'silent' | 'name not found'
  view?: View
}

/** The network as UDP sees it from here. */
export interface Survey {
  servers: ServerReport[]
  /** Where the world sees a socket of this machine; undefined when no server answers. */
  mapped?: Endpoint
  /** Whether that is an address and port of this machine's own: there is no NAT. */
  isOwn: boolean
  mapping: Behaviour
  filtering: Behaviour
  /** The server of RFC 5780's tests; undefined when none could do them. */
  testedWith?: string
  hairpinning?: boolean
}

/** A resolver that is asked for longer does not answer. Milliseconds. */
const nameLimitMs = 5_000

/** Asks all servers at once, then has one of them show how the NAT maps and filters; some 8 seconds at the most. */
export async function survey(names: readonly StunServerName[]): Promise<Survey> {
  const sockets: UdpSocket[] = []
  const open = async () => {
    const socket = await openUdpSocket()
    sockets.push(socket)
    return socket
  }
  try {
    const socket = await open()
    const requester = createRequester(socket)
    const servers = await Promise.all(names.map(name => askServer(requester, name)))
    const answering = servers.filter(isAnswer)
    const [first] = answering
    if (!first) return { servers, isOwn: false, mapping: 'unknown', filtering: 'unknown' }
    const { from, mapped } = first.view
    const [behaviour, hairpinning] = await Promise.all([
      testBehaviour(requester, answering, open),
      hairpins([await open(), await open()], from),
    ])
    return {
      servers,
      mapped,
      isOwn: mapped.port === socket.local.port && isOwnAddress(mapped.address),
      ...behaviour,
      ...(hairpinning !== undefined && { hairpinning }),
    }
  } finally {
    for (const socket of sockets) socket.close()
  }
}

// --- internal ---

type Answer = ServerReport & { view: View }
const isAnswer = (report: ServerReport): report is Answer => report.view !== undefined

async function askServer(requester: Requester, { host, port }: StunServerName): Promise<ServerReport> {
  const server = `${host}:${port}`
  const address = await addressOf(host)
  if (address === undefined) return { server, outcome: 'name not found' }
  const view = await requester.ask({ address, port })
  return view ? { server, outcome: 'answers', view } : { server, outcome: 'silent' }
}

async function addressOf(host: string): Promise<string | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, nameLimitMs)
  const found = lookup(host, { family: 4 }).then(
    ({ address }) => address,
    () => undefined,
  )
  return Promise.race([found, late]).finally(() => clearTimeout(timer))
}

/** By the first server that does RFC 5780; else two servers' views tell how the NAT maps, and nothing how it filters. */
async function testBehaviour(
  requester: Requester,
  answering: Answer[],
  open: () => Promise<UdpSocket>,
): Promise<Pick<Survey, 'mapping' | 'filtering' | 'testedWith'>> {
  for (const { server, view } of answering.filter(({ view }) => hasAlternate(view))) {
    const [mapping, filtering] = await Promise.all([
      mappingTests(requester, view),
      filteringTests(await open(), view.from),
    ])
    // Silent at its other address it would make every filter look strict.
    if (mapping !== 'unknown') return { mapping, filtering, testedWith: server }
  }
  const views = answering.map(({ server, view }) => ({ server, mapped: view.mapped }))
  return { mapping: mappingBehaviour(views), filtering: 'unknown' }
}

const isOwnAddress = (address: string) =>
  Object.values(networkInterfaces()).some(list => list?.some(each => each.address === address))
