import type { Endpoint } from '../net/endpoint.ts'
import type { UdpSocket } from '../net/udp/socket.ts'
import type { Candidate } from './ice/candidate.ts'
import { discover, StunError } from './stun/discover.ts'
import { type Behaviour, mappingOf, type View } from './stun/mapping.ts'
import type { StunServerName } from './stun/server-name.ts'

/** Where the world sees a socket. */
export interface Location {
  local: Endpoint
  mapped: Endpoint
  mapping: Behaviour
  /** Where the other end may send, best first. */
  candidates: Candidate[]
  /** What the STUN servers said, in order of arrival; none where the address is a guess. */
  views: View[]
}

export interface LocateOptions {
  stunServers: readonly StunServerName[]
  /** Limit for STUN in milliseconds, 8,000 by default. */
  limitMs?: number
  signal?: AbortSignal | undefined
  /**
   * The public address by another way, for when no STUN server answers: taken with the local port, since most NATs
   * keep it, and checks from one that was not kept still reach a peer that lets them in.
   */
  guess?: ((error: StunError) => string | Promise<string>) | undefined
}

/** Asks two STUN servers where this socket is seen and how the NAT maps. Throws a StunError, or what `guess` throws. */
export async function locate(socket: UdpSocket, options: LocateOptions): Promise<Location> {
  const { stunServers, limitMs, signal, guess } = options
  const { local } = socket
  try {
    const views = await discover(socket, stunServers, { want: 2, limitMs, signal })
    const { mapped } = views[0]!
    return { local, mapped, mapping: mappingOf(views), candidates: reflexive(mapped), views }
  } catch (error) {
    if (!(error instanceof StunError) || !guess) throw error
    const mapped = { address: await guess(error), port: local.port }
    return { local, mapped, mapping: 'unknown', candidates: reflexive(mapped), views: [] }
  }
}

// --- internal ---

const reflexive = (mapped: Endpoint): Candidate[] => [{ ...mapped, kind: 'server-reflexive' }]
