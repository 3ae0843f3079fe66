import { discover, StunError } from '../../../tunnel/nat/stun/discover.ts'
import { type Behaviour, isHard, mappingOf } from '../../../tunnel/nat/stun/mapping.ts'
import type { StunServerName } from '../../../tunnel/nat/stun/server-name.ts'
import { type Endpoint, formatEndpoint } from '../../../tunnel/net/endpoint.ts'
import type { UdpSocket } from '../../../tunnel/net/udp/socket.ts'

/** Where the world sees a socket. */
export interface Location {
  mapped: Endpoint
  mapping: Behaviour
  /** The same for a person. */
  detail: string
}

export interface LocateOptions {
  stunServers: StunServerName[]
  /** The public address that an earlier session saw. */
  lastAddress?: string
  signal?: AbortSignal
}

/** With an address to fall back on, silent servers are not waited for as long as they might be. Milliseconds. */
const limitWithGuessMs = 3_000

/**
 * Asks two STUN servers where this socket is seen and how the NAT maps. When all are silent and an
 * earlier session's address is known, guesses that the NAT keeps the port, as most at home do; checks
 * from a port that it did not keep still reach a peer that lets them in. Throws a StunError otherwise.
 */
export async function locate(socket: UdpSocket, options: LocateOptions): Promise<Location> {
  const { stunServers, lastAddress, signal } = options
  try {
    const limitMs = lastAddress === undefined ? undefined : limitWithGuessMs
    const views = await discover(socket, stunServers, { want: 2, limitMs, signal })
    const { mapped } = views[0]!
    const mapping = mappingOf(views)
    return { mapped, mapping, detail: `${formatEndpoint(mapped)}${noteOn(mapping)}` }
  } catch (error) {
    if (!(error instanceof StunError) || lastAddress === undefined) throw error
    const mapped = { address: lastAddress, port: socket.local.port }
    const detail = `${formatEndpoint(mapped)}, a guess from an earlier session: no STUN server answered`
    return { mapped, mapping: 'unknown', detail }
  }
}

// --- internal ---

const noteOn = (mapping: Behaviour) =>
  isHard(mapping) ? ', another port for each destination (symmetric NAT)' : ''
