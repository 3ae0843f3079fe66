import { type Endpoint, formatEndpoint, sameEndpoint } from '../../net/endpoint.ts'

/** Stands for the address that a TURN server lends, among the sockets. */
export const relayVia = -1

/**
 * A remote address as one of this side's sockets sees it: `via` is the socket's index, 0 the one that STUN used, or
 * `relayVia`.
 */
export interface Route extends Endpoint {
  readonly via: number
}

/** The route as a map key. */
export const routeKey = (route: Route): string => `${route.via} ${formatEndpoint(route)}`

export const sameRoute = (a: Route, b: Route): boolean => a.via === b.via && sameEndpoint(a, b)
