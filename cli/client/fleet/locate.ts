import { type Location, locate as locateSocket } from '../../../tunnel/nat/locate.ts'
import { locateWithRelay, withRelay } from '../../../tunnel/nat/locate-with-relay.ts'
import type { OpenPort, PortMapper } from '../../../tunnel/nat/port-mapping/mapper.ts'
import { protocolNames } from '../../../tunnel/nat/port-mapping/router.ts'
import { isHard } from '../../../tunnel/nat/stun/mapping.ts'
import type { StunServerName } from '../../../tunnel/nat/stun/server-name.ts'
import type { Allocation } from '../../../tunnel/nat/turn/allocation.ts'
import type { RelaySource } from '../../../tunnel/nat/turn/source.ts'
import type { ErrorData } from '../../../tunnel/net/coded-error.ts'
import { formatEndpoint } from '../../../tunnel/net/endpoint.ts'
import { isPublicAddress } from '../../../tunnel/net/public-address.ts'
import type { UdpSocket } from '../../../tunnel/net/udp/socket.ts'

/** Where the world sees a socket of the client's. */
export interface ClientLocation extends Location {
  /** The same in words. */
  detail: string
  /** What a TURN server lent besides. */
  relay?: Allocation | undefined
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
  // Behind another NAT the opened port cannot be reached.
  if (port && !isUseful) void portMapper?.release(socket.local.port)
  const seen = formatEndpoint(location.mapped)
  return {
    ...location,
    ...(isUseful && { candidates: [{ ...port.external, kind: 'mapped' }, ...location.candidates] }),
    detail: `${seen}${noteOn(location, isUseful)}${isUseful ? `, port ${port.external.port} opened by the router (${protocolNames[port.protocol]})` : ''}`,
  }
}

/** The same beside a TURN server that is asked for an address, if one is named. Throws what neither could find. */
export const locateByAll = (
  socket: UdpSocket,
  { relay, onNoRelay, signal, ...options }: LocateOptions & RelayOptions,
): Promise<ClientLocation> =>
  locateWithRelay(socket, {
    source: relay,
    locate: until => locate(socket, { ...options, signal: until }),
    relayed: location => ({ ...location, detail: relay?.only ? 'not asked' : 'no STUN server answered' }),
    signal,
    onFailed: onNoRelay,
  })

/** Asks again where a socket is seen whose relay, if any, stays the same. */
export async function locateOnceMore(
  socket: UdpSocket,
  before: ClientLocation,
  options: LocateOptions,
): Promise<ClientLocation> {
  // If STUN did not answer then, it need not answer now.
  if (before.relay && before.views.length === 0) return before
  return withRelay(await locate(socket, options), before.relay)
}

// --- internal ---

interface RelayOptions {
  relay?: RelaySource | undefined
  onNoRelay?: ((error: ErrorData) => void) | undefined
}

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
