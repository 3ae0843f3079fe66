import { openUdpSocket } from '../../net/udp/open.ts'
import { type Gateway, PortMappingError } from './router.ts'

/** Where gateways listen for PCP and NAT-PMP (RFC 6887, section 19.1). */
const serverPort = 5_351
/** First retransmission time-out in milliseconds, doubled each time (RFC 6886, section 3.1). */
const retransmitMs = 250
/** A gateway that is silent this long does not answer. Milliseconds. */
const limitMs = 2_000
/** The largest message of PCP (RFC 6887, section 7). Bytes. */
const longest = 1_100

/**
 * Sends a request to the gateway until it is answered. `read` gives undefined for what is no answer to it, and throws
 * for one that refuses. Only the gateway's own address and port is listened to.
 */
export async function askGateway<T>(
  { address, localAddress }: Gateway,
  request: Uint8Array,
  read: (answer: Buffer) => T | undefined,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted()
  const socket = await openUdpSocket({ address: localAddress })
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const transmit = (timeout: number) => {
    socket.send(request, { address, port: serverPort })
    timer = setTimeout(() => transmit(timeout * 2), timeout)
  }
  const abort = () => reject(signal.reason)
  const silent = () =>
    reject(new PortMappingError('E_PORT_MAPPING_SILENT', 'the router does not answer this protocol'))
  const limit = setTimeout(silent, limitMs)
  signal.addEventListener('abort', abort, { once: true })
  socket.onDatagram = (datagram, from, port) => {
    if (from !== address || port !== serverPort || datagram.length > longest) return
    try {
      const answer = read(Buffer.from(datagram))
      if (answer !== undefined) resolve(answer)
    } catch (error) {
      reject(error)
    }
  }
  transmit(retransmitMs)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    clearTimeout(limit)
    signal.removeEventListener('abort', abort)
    socket.close()
  }
}
