import { type Location, locate as locateSocket } from '../../../tunnel/nat/locate.ts'
import type { OpenPort, PortMapper } from '../../../tunnel/nat/port-mapping/mapper.ts'
import { protocolNames } from '../../../tunnel/nat/port-mapping/router.ts'
import { isHard } from '../../../tunnel/nat/stun/mapping.ts'
import type { StunServerName } from '../../../tunnel/nat/stun/server-name.ts'
import { formatEndpoint } from '../../../tunnel/net/endpoint.ts'
import { isPublicAddress } from '../../../tunnel/net/public-address.ts'
import type { UdpSocket } from '../../../tunnel/net/udp/socket.ts'

/** Where the world sees a socket of the client's. */
export interface ClientLocation extends Location {
  /** The same for a person. */
  detail: string
}

export interface LocateOptions {
  stunServers: readonly StunServerName[]
  /** Asks the router to open a port for the socket, meanwhile. */
  portMapper?: PortMapper | undefined
  /** The public address that an earlier session saw: a guess for when no STUN server answers. */
  lastAddress?: string | undefined
  signal?: AbortSignal | undefined
}

/** With an address to fall back on, silent servers are not waited for as long as they might be. Milliseconds. */
const limitWithGuessMs = 3_000

/**
 * Finds out where a socket is seen, or guesses it: from the router, or from an earlier session. A port that the router
 * opened is the best candidate. Throws a StunError.
 */
export async function locate(socket: UdpSocket, options: LocateOptions): Promise<ClientLocation> {
  const { stunServers, portMapper, lastAddress, signal } = options
  const opening = portMapper?.open(socket.local.port) ?? Promise.resolve(undefined)
  const location = await locateSocket(socket, {
    stunServers,
    signal,
    ...(lastAddress !== undefined && { limitMs: limitWithGuessMs }),
    async guess(error) {
      const address = publicAddressOf(await opening) ?? lastAddress
      if (address === undefined) throw error
      return address
    },
  })
  const port = await opening
  const isUseful = port !== undefined && leadsHere(port, location)
  // Behind a further NAT it is a door that nobody can come to.
  if (port && !isUseful) void portMapper?.release(socket.local.port)
  const seen = formatEndpoint(location.mapped)
  return {
    ...location,
    ...(isUseful && { candidates: [{ ...port.external, kind: 'mapped' }, ...location.candidates] }),
    detail: `${seen}${noteOn(location, isUseful)}${isUseful ? `, port ${port.external.port} opened by the router (${protocolNames[port.protocol]})` : ''}`,
  }
}

// --- internal ---

const publicAddressOf = (port: OpenPort | undefined) =>
  port && isPublicAddress(port.external.address) ? port.external.address : undefined

/** A router may say what it likes: the other end is sent only to where the world sees this one. */
const leadsHere = ({ external }: OpenPort, { mapped, views }: Location): boolean =>
  [mapped, ...views.map(view => view.mapped)].some(({ address }) => address === external.address)

function noteOn({ views, mapping }: Location, isRouters: boolean): string {
  if (views.length === 0)
    return `, ${isRouters ? 'by the router’s word' : 'a guess from an earlier session'}: no STUN server answered`
  return isHard(mapping) ? ', another port for each destination (symmetric NAT)' : ''
}
