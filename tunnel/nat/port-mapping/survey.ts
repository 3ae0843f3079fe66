import { errorData } from '../../net/coded-error.ts'
import type { Endpoint } from '../../net/endpoint.ts'
import { openUdpSocket } from '../../net/udp/open.ts'
import { findGateway } from './gateway.ts'
import { findNatPmp } from './nat-pmp.ts'
import { findPcp } from './pcp.ts'
import { type FindRouter, type MappingProtocol, mappingProtocols } from './router.ts'
import { findUpnp } from './upnp/upnp.ts'

/** How a gateway is asked, by each protocol. */
export const finders: Readonly<Record<MappingProtocol, FindRouter>> = {
  pcp: findPcp,
  'nat-pmp': findNatPmp,
  upnp: findUpnp,
}

/** What this machine's router says to being asked for a port. */
export interface PortMappingReport {
  /** It is not to be asked. */
  isOff?: boolean
  /** The default gateway; none where there is none that could be asked. */
  gateway?: string
  /** The protocols that it answers, best first. */
  answers: MappingProtocol[]
  /** By the first of them that opened a port. */
  granted?: { protocol: MappingProtocol; external: Endpoint }
  /** Why none did, where it answers. */
  refusal?: string
}

/** Of the port that is opened to try it, should its removal get lost. Seconds. */
const lifetimeS = 60

/** Asks by all protocols, and has a port opened and closed by the best. Some 5 s at most; never rejects but by the signal. */
export async function surveyPortMapping(signal: AbortSignal): Promise<PortMappingReport> {
  const gateway = await findGateway().catch(() => undefined)
  if (!gateway) return { answers: [] }
  const asked = mappingProtocols.map(protocol => finders[protocol](gateway, signal).catch(() => undefined))
  const routers = (await Promise.all(asked)).filter(router => router !== undefined)
  signal.throwIfAborted()
  const report: PortMappingReport = {
    gateway: gateway.address,
    answers: routers.map(({ protocol }) => protocol),
  }
  const socket = await openUdpSocket()
  const internalPort = socket.local.port
  try {
    for (const router of routers)
      try {
        const request = { internalPort, externalPort: internalPort, lifetimeS }
        const { external } = await router.map(request, signal)
        await router.unmap({ internalPort, externalPort: external.port }, signal).catch(() => {})
        return { ...report, granted: { protocol: router.protocol, external } }
      } catch (error) {
        report.refusal ??= errorData(error).message
      }
    return report
  } finally {
    socket.close()
  }
}
