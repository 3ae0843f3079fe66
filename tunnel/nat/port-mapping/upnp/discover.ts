import { openUdpSocket } from '../../../net/udp/open.ts'
import { type Gateway, PortMappingError } from '../router.ts'

const port = 1_900
const multicast = '239.255.255.250'
/** What is looked for: gateways of either version (UPnP Device Architecture 1.1, section 1.3.2). */
const targets = [1, 2].map(version => `urn:schemas-upnp-org:device:InternetGatewayDevice:${version}`)
/** A device waits for up to a second before it answers many. Milliseconds. */
const limitMs = 2_000
const againMs = 500
const longest = 2_048

/**
 * Where the gateway describes itself, by SSDP: it is asked by its own address and with all others on the network, and
 * only its answer counts. Rejects with a PortMappingError, or the signal's reason.
 */
export async function discoverDescription(gateway: Gateway, signal: AbortSignal): Promise<URL> {
  signal.throwIfAborted()
  const socket = await openUdpSocket({ address: gateway.localAddress })
  const { promise, resolve, reject } = Promise.withResolvers<URL>()
  const search = () => {
    for (const address of [gateway.address, multicast])
      for (const target of targets) socket.send(searchFor(target), { address, port })
  }
  const silent = () =>
    reject(new PortMappingError('E_PORT_MAPPING_SILENT', 'the router does not answer this protocol'))
  const abort = () => reject(signal.reason)
  const timers = [setTimeout(search, againMs), setTimeout(silent, limitMs)]
  signal.addEventListener('abort', abort, { once: true })
  socket.onDatagram = (datagram, from) => {
    if (from !== gateway.address || datagram.length > longest) return
    const url = descriptionUrl(Buffer.from(datagram).toString('latin1'), gateway.address)
    if (url) resolve(url)
  }
  search()
  try {
    return await promise
  } finally {
    for (const timer of timers) clearTimeout(timer)
    signal.removeEventListener('abort', abort)
    socket.close()
  }
}

/** The LOCATION of an answer, where it is on the gateway itself. */
export function descriptionUrl(answer: string, gateway: string): URL | undefined {
  if (!/^HTTP\/1\.[01] 200\b/.test(answer)) return undefined
  const location = /^location:[ \t]*(\S+)[ \t]*\r?$/im.exec(answer)?.[1]
  return location === undefined ? undefined : onGateway(location, gateway)
}

/** A URL of plain HTTP whose host is the gateway's very address, given whole or to `base`; undefined for any other. */
export function onGateway(text: string, gateway: string, base?: URL): URL | undefined {
  const url = URL.canParse(text, base?.href) ? new URL(text, base) : undefined
  return url?.protocol === 'http:' && url.hostname === gateway && url.username === '' ? url : undefined
}

// --- internal ---

const searchFor = (target: string): Buffer =>
  Buffer.from(
    [
      'M-SEARCH * HTTP/1.1',
      `HOST: ${multicast}:${port}`,
      'MAN: "ssdp:discover"',
      'MX: 1',
      `ST: ${target}`,
      '',
      '',
    ].join('\r\n'),
  )
