import { formatEndpoint } from '../../tunnel/net/endpoint.ts'
import type { ListenerAddress, ProxyEvent } from '../client/stats/events.ts'
import { reachableAt } from '../input/loopback.ts'
import { schemeNames } from '../input/scheme.ts'

export type Ready = Extract<ProxyEvent, { type: 'proxy.ready' }>

/** Where to connect. */
export const placeLines = (
  { listeners, address }: Ready,
  dashboard: string | undefined,
  local: boolean,
): string[] => [
  ...listeners.map(each => `Proxy ready on ${place(each)}`),
  local ? 'The exit is this machine: your address does not change' : `Exit address ${address}`,
  ...(dashboard === undefined ? [] : [`Dashboard ${dashboard}`]),
]

/** How to try it, and how to stop it. */
export function usageLines({ host, port, listeners }: Ready): string[] {
  const at = formatEndpoint({ address: reachableAt(host), port })
  return [
    `Try it: curl --proxy ${listeners[0]?.scheme === 'http' ? 'http' : 'socks5h'}://${at} https://example.org`,
    'Ctrl-C stops it',
  ]
}

// --- internal ---

const place = ({ scheme, host, port }: ListenerAddress) =>
  `${formatEndpoint({ address: host, port })} (${schemeNames[scheme]})`
