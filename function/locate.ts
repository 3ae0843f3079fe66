import { type Location, locate } from '../tunnel/nat/locate.ts'
import { locateWithRelay } from '../tunnel/nat/locate-with-relay.ts'
import type { Allocation } from '../tunnel/nat/turn/allocation.ts'
import { type ErrorData, errorData } from '../tunnel/net/coded-error.ts'
import type { UdpSocket } from '../tunnel/net/udp/socket.ts'
import { RefusalError } from '../tunnel/signalling/refusal.ts'
import { askAddress } from './address-service.ts'
import type { Settings } from './settings.ts'

/** Where the exit's socket is seen. */
export interface ExitLocation extends Location {
  /** What a TURN server lent. */
  relay?: Allocation | undefined
  /** What the system granted the socket. */
  receiveBufferBytes: number | undefined
}

/** STUN servers that are silent for longer leave no time for anything else: the client waits. Milliseconds. */
const stunLimitMs = 3_000

/**
 * Finds out where a socket is seen: by STUN, or else by the deployment's address service and the local port; and what a
 * TURN server lends, where the deployment names one. Throws a RefusalError when none of them tells.
 */
export async function locateExit(
  socket: UdpSocket,
  settings: Settings,
  onNoRelay?: (error: ErrorData) => void,
): Promise<ExitLocation> {
  const location = await locateWithRelay(socket, {
    source: settings.relay,
    locate: () => locateSocket(socket, settings),
    relayed: location => location,
    // The address service has its turn behind them.
    stunWaitMs: Number.POSITIVE_INFINITY,
    onFailed: onNoRelay,
  })
  return { ...location, receiveBufferBytes: socket.receiveBufferBytes }
}

// --- internal ---

function locateSocket(socket: UdpSocket, { stunServers, addressService }: Settings): Promise<Location> {
  return locate(socket, {
    stunServers,
    limitMs: stunLimitMs,
    guess: silence =>
      addressService === undefined
        ? Promise.reject(unknown(silence))
        : askAddress(addressService).catch(error => Promise.reject(unknown(silence, error))),
  })
}

const unknown = (...causes: Error[]) =>
  new RefusalError(
    'E_EXIT_STUN_UNREACHABLE',
    `the exit's own address is not known: ${causes.map(cause => errorData(cause).message).join('; ')}`.slice(
      0,
      500,
    ),
    { cause: causes[0] },
  )
