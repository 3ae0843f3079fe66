import { isIPv4 } from 'node:net'
import { checkedGrant, type FindRouter, type Gateway, type MapRequest, PortMappingError } from '../router.ts'
import { discoverDescription, onGateway } from './discover.ts'
import { askHttp } from './http.ts'
import { elementsOf, parseXml, textOf } from './xml.ts'

/** Services that map ports, the newest first (UPnP Forum, WANIPConnection:2, WANPPPConnection:1). */
const services = [
  'urn:schemas-upnp-org:service:WANIPConnection:2',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANPPPConnection:1',
] as const

/** Error codes of WANIPConnection (section 2.4.16). */
const codes = { conflict: '718', permanentOnly: '725' } as const

/** Another port is tried where one is taken. */
const attempts = 4

/** A service of the gateway's, and where it is called. */
export interface Service {
  type: (typeof services)[number]
  control: URL
}

/** One whose description names a service that maps ports speaks it. */
export const findUpnp: FindRouter = async (gateway, signal) => {
  const location = await discoverDescription(gateway, signal)
  const { status, text } = await askHttp(location, {}, signal)
  const service = status === 200 ? serviceOf(text, location, gateway.address) : undefined
  if (!service)
    throw new PortMappingError(
      'E_PORT_MAPPING_REFUSED',
      'the router answers UPnP, and offers no service that opens ports',
    )
  return {
    protocol: 'upnp',
    async map(request, signal) {
      // Before the port is opened, so that none stays open where this fails.
      const { NewExternalIPAddress: address = '' } = await call(service, 'GetExternalIPAddress', {}, signal)
      if (!isIPv4(address))
        throw new PortMappingError('E_PORT_MAPPING_MALFORMED', 'the router does not tell its outside address')
      const { port, lifetimeS } = await addMapping(service, gateway, request, signal)
      return checkedGrant({ external: { address, port }, lifetimeS })
    },
    async unmap({ externalPort }, signal) {
      await call(service, 'DeletePortMapping', mappingOf(externalPort), signal)
    },
  }
}

/** The service in a device's description that maps ports; undefined where none is on the gateway itself. */
export function serviceOf(description: string, location: URL, gateway: string): Service | undefined {
  const named = elementsOf(parseXml(description), 'service')
  for (const type of services)
    for (const service of named) {
      if (textOf(service, 'serviceType') !== type) continue
      const control = onGateway(textOf(service, 'controlURL') ?? '', gateway, location)
      if (control) return { type, control }
    }
  return undefined
}

// --- internal ---

/** The router said no; `fault` is UPnP's code. */
class Refused extends PortMappingError {
  constructor(readonly fault: string | undefined) {
    super('E_PORT_MAPPING_REFUSED', `the router refuses: UPnP error ${fault ?? 'without a code'}`)
  }
}

async function addMapping(
  service: Service,
  { localAddress }: Gateway,
  { internalPort, externalPort, lifetimeS }: MapRequest,
  signal: AbortSignal,
): Promise<{ port: number; lifetimeS: number }> {
  let [port, lease] = [externalPort, lifetimeS]
  for (let attempt = 1; ; attempt++)
    try {
      await call(
        service,
        'AddPortMapping',
        {
          ...mappingOf(port),
          NewInternalPort: internalPort,
          NewInternalClient: localAddress,
          NewEnabled: 1,
          NewPortMappingDescription: 'lambda-nat-proxy',
          NewLeaseDuration: lease,
        },
        signal,
      )
      return { port, lifetimeS: lease }
    } catch (error) {
      if (!(error instanceof Refused) || attempt === attempts) throw error
      if (error.fault === codes.permanentOnly) lease = 0
      else if (error.fault === codes.conflict) port = 1_024 + Math.floor(Math.random() * (65_536 - 1_024))
      else throw error
    }
}

const mappingOf = (externalPort: number) => ({
  NewRemoteHost: '',
  NewExternalPort: externalPort,
  NewProtocol: 'UDP',
})

/** One call by SOAP (UPnP Device Architecture 1.1, section 3.2); the texts of its answer. Arguments are ours alone. */
async function call(
  { type, control }: Service,
  action: string,
  args: Record<string, string | number>,
  signal: AbortSignal,
): Promise<{ NewExternalIPAddress?: string | undefined }> {
  const body = [
    '<?xml version="1.0"?>',
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"',
    ' s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>',
    `<u:${action} xmlns:u="${type}">`,
    ...Object.entries(args).map(([name, value]) => `<${name}>${value}</${name}>`),
    `</u:${action}></s:Body></s:Envelope>`,
  ].join('')
  const headers = { 'content-type': 'text/xml; charset="utf-8"', soapaction: `"${type}#${action}"` }
  const { status, text } = await askHttp(control, { method: 'POST', headers, body }, signal)
  const answer = parseXml(text)
  if (status === 200) return { NewExternalIPAddress: textOf(answer, 'NewExternalIPAddress') }
  const fault = textOf(answer, 'errorCode')
  throw new Refused(fault && /^\d{1,4}$/.test(fault) ? fault : undefined)
}
