import { type Endpoint, sameEndpoint } from '../../net/endpoint.ts'

/** What a STUN server saw: the address that this socket has on its side of the NAT (server-reflexive). */
export interface Mapping {
  server: string
  mapped: Endpoint
}

/**
 * How a NAT maps a socket (RFC 4787, section 4.1): to one address and port for all destinations, or to
 * another for each ("symmetric"; whether the destination's port counts as well makes no difference here).
 */
export const mappingBehaviours = ['endpoint-independent', 'address-dependent', 'unknown'] as const
export type MappingBehaviour = (typeof mappingBehaviours)[number]

/** What the views of several STUN servers say about the NAT; one view alone says nothing. */
export function mappingBehaviour(mappings: Mapping[]): MappingBehaviour {
  const [first, ...others] = mappings
  if (!first || others.every(({ server }) => server === first.server)) return 'unknown'
  const same = others.every(({ mapped }) => sameEndpoint(mapped, first.mapped))
  return same ? 'endpoint-independent' : 'address-dependent'
}
