import { type Endpoint, sameEndpoint } from '../../net/endpoint.ts'

/** What a STUN server's answer says: the address that this socket has on its side of the NAT (server-reflexive). */
export interface View {
  /** The server as it was asked for, `host:port`. */
  server: string
  mapped: Endpoint
  /** Where the answer came from. */
  from: Endpoint
  /** The server's other address and port, where it has them (OTHER-ADDRESS; RFC 5780, section 7.4). */
  other?: Endpoint
  rttMs: number
}

/**
 * What a NAT's mapping, or its filter, goes by (RFC 4787, sections 4.1 and 5): nothing, the destination's address,
 * or its port as well.
 */
export const behaviours = [
  'endpoint-independent',
  'address-dependent',
  'address-and-port-dependent',
  'unknown',
] as const
export type Behaviour = (typeof behaviours)[number]

/** A mapping that hides the port from everybody but the destination ("symmetric"). */
export const isHard = (mapping: Behaviour): boolean =>
  mapping === 'address-dependent' || mapping === 'address-and-port-dependent'

/** What the views of several STUN servers say of the NAT's mapping; one view alone says nothing. */
export function mappingOf(views: readonly Pick<View, 'server' | 'mapped'>[]): Behaviour {
  const [first, ...others] = views
  if (!first || others.every(({ server }) => server === first.server)) return 'unknown'
  const same = others.every(({ mapped }) => sameEndpoint(mapped, first.mapped))
  return same ? 'endpoint-independent' : 'address-dependent'
}
