import { type Location, locate as locateSocket } from '../../../tunnel/nat/locate.ts'
import { isHard } from '../../../tunnel/nat/stun/mapping.ts'
import type { StunServerName } from '../../../tunnel/nat/stun/server-name.ts'
import { formatEndpoint } from '../../../tunnel/net/endpoint.ts'
import type { UdpSocket } from '../../../tunnel/net/udp/socket.ts'

/** Where the world sees a socket of the client's. */
export interface ClientLocation extends Location {
  /** The same for a person. */
  detail: string
}

export interface LocateOptions {
  stunServers: readonly StunServerName[]
  /** The public address that an earlier session saw: a guess for when no STUN server answers. */
  lastAddress?: string | undefined
  signal?: AbortSignal | undefined
}

/** With an address to fall back on, silent servers are not waited for as long as they might be. Milliseconds. */
const limitWithGuessMs = 3_000

/** Finds out where a socket is seen, or guesses it from an earlier session. Throws a StunError. */
export async function locate(socket: UdpSocket, options: LocateOptions): Promise<ClientLocation> {
  const { stunServers, lastAddress, signal } = options
  const fallback = lastAddress !== undefined && { limitMs: limitWithGuessMs, guess: () => lastAddress }
  const location = await locateSocket(socket, { stunServers, signal, ...fallback })
  const seen = formatEndpoint(location.mapped)
  return { ...location, detail: `${seen}${noteOn(location)}` }
}

// --- internal ---

function noteOn({ views, mapping }: Location): string {
  if (views.length === 0) return ', a guess from an earlier session: no STUN server answered'
  return isHard(mapping) ? ', another port for each destination (symmetric NAT)' : ''
}
