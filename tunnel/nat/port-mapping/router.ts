import { CodedError } from '../../net/coded-error.ts'
import type { Endpoint } from '../../net/endpoint.ts'

/** Whether the router is asked to open ports. */
export const portMappingModes = ['auto', 'off'] as const
export type PortMappingMode = (typeof portMappingModes)[number]

/** The protocols by which a router can be asked to open a port, best first. */
export const mappingProtocols = ['pcp', 'nat-pmp', 'upnp'] as const
export type MappingProtocol = (typeof mappingProtocols)[number]

/** What people call them. */
export const protocolNames: Record<MappingProtocol, string> = {
  pcp: 'PCP',
  'nat-pmp': 'NAT-PMP',
  upnp: 'UPnP',
}

/** The router that this machine's packets leave by, and the address of this machine that it sees. */
export interface Gateway {
  /** IPv4. */
  address: string
  localAddress: string
}

/** A UDP port of this machine that is to be reached from outside. */
export interface MapRequest {
  internalPort: number
  /** The outside port that is wished for; the router may give another. */
  externalPort: number
  /** Seconds. */
  lifetimeS: number
}

/** What a router granted: the outside address and port, and for how long. */
export interface Grant {
  external: Endpoint
  /** Seconds; 0 for one that never ends by itself. */
  lifetimeS: number
}

/** A router that answers one of the protocols. */
export interface Router {
  readonly protocol: MappingProtocol
  /** Its user's: called when an answer tells that it has lost all that it had opened. UPnP has no way to tell. */
  onLost?: () => void
  /** Opens a port, or keeps it open. Rejects with a PortMappingError, or the signal's reason. */
  map(request: MapRequest, signal: AbortSignal): Promise<Grant>
  /** Closes it. Rejects as `map` does. */
  unmap(mapping: Pick<MapRequest, 'internalPort' | 'externalPort'>, signal: AbortSignal): Promise<void>
}

/** Finds out whether a gateway speaks a protocol. Rejects with a PortMappingError, or the signal's reason. */
export type FindRouter = (gateway: Gateway, signal: AbortSignal) => Promise<Router>

export type PortMappingErrorCode =
  /** There is no default gateway. */
  | 'E_PORT_MAPPING_NO_GATEWAY'
  | 'E_PORT_MAPPING_SILENT'
  /** The router answers and does not grant it. */
  | 'E_PORT_MAPPING_REFUSED'
  /** The router's answer is not what the protocol says. */
  | 'E_PORT_MAPPING_MALFORMED'

/** A router does not open a port. */
export class PortMappingError extends CodedError<PortMappingErrorCode> {
  override name = 'PortMappingError'
}

/** The longest life that is believed. Seconds. */
const longestS = 24 * 3_600

/** A grant that makes sense; throws a PortMappingError for any other. */
export function checkedGrant({ external, lifetimeS }: Grant): Grant {
  if (external.port < 1 || external.port > 65_535)
    throw new PortMappingError('E_PORT_MAPPING_MALFORMED', 'the router names a port that none is')
  return { external, lifetimeS: Math.min(Math.max(0, lifetimeS), longestS) }
}
