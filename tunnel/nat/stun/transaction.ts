import { constants, createMessage, decode } from 'stun'
import type { Endpoint } from '../../net/endpoint.ts'
import type { UdpSocket } from '../../net/udp/socket.ts'
import { parseStun } from './message.ts'

/** Where a server is asked to answer from (CHANGE-REQUEST; RFC 5780, section 7.2). */
export type Change = 'port' | 'address-and-port'

/** What a server's answer says. */
export interface View {
  /** Where the answer came from. */
  from: Endpoint
  mapped: Endpoint
  /** The server's other address and port, where it has them (OTHER-ADDRESS; RFC 5780, section 7.4). */
  other: Endpoint | undefined
  rttMs: number
}

/** Binding transactions on one socket, as many at a time as one likes. */
export interface Requester {
  /** Sends a request until it is answered; undefined at the limit, at an error response, and after close(). */
  ask(server: Endpoint, change?: Change): Promise<View | undefined>
  /** Somebody else's Binding request arrived. */
  onRequest: (from: Endpoint) => void
  /** Ends what is open; the socket is the caller's again. */
  close(): void
}

/** First retransmission, doubled each time: shorter than RFC 8489's, since here silence is a result as well. */
const retransmitMs = 250
/** Four requests have gone unanswered by then. Milliseconds. */
export const askLimitMs = 2_500

/** Takes over `socket.onDatagram` until it is closed. */
export function createRequester(socket: UdpSocket): Requester {
  const open = new Map<string, (view?: View) => void>()
  let closed = false

  const requester: Requester = {
    onRequest() {},
    ask(server, change) {
      if (closed) return Promise.resolve(undefined)
      const { datagram, transactionId } = request(change)
      const started = performance.now()
      let timer: ReturnType<typeof setTimeout>
      const transmit = (timeout: number) => {
        socket.send(datagram, server)
        timer = setTimeout(() => transmit(timeout * 2), timeout)
      }
      transmit(retransmitMs)
      return new Promise(resolve => {
        const settle = (view?: View) => {
          open.delete(transactionId)
          clearTimeout(timer)
          clearTimeout(limit)
          resolve(view && { ...view, rttMs: performance.now() - started })
        }
        const limit = setTimeout(settle, askLimitMs)
        open.set(transactionId, settle)
      })
    },
    close() {
      closed = true
      socket.onDatagram = () => {}
      for (const settle of [...open.values()]) settle()
    },
  }
  socket.onDatagram = (datagram, address, port) => {
    const message = parseStun(datagram)
    if (!message) return
    const from = { address, port }
    if (message.kind === 'request') return requester.onRequest(from)
    // The transaction's 96 random bits tell whose answer it is: it may well come from another address.
    const settle = open.get(message.transactionId)
    const { kind, mapped } = message
    settle?.(
      kind === 'success' && mapped ? { from, mapped, other: otherAddress(datagram), rttMs: 0 } : undefined,
    )
  }
  return requester
}

// --- internal ---

/** The bits "change IP" and "change port" (RFC 5780, section 7.2). */
const changes: Record<Change, number> = { port: 0x2, 'address-and-port': 0x6 }

function request(change: Change | undefined): { datagram: Buffer; transactionId: string } {
  const message = createMessage(constants.STUN_BINDING_REQUEST!)
  if (change) message.addAttribute(constants.STUN_ATTR_CHANGE_REQUEST!, changes[change])
  return { datagram: message.toBuffer(), transactionId: message.transactionId.toString('hex') }
}

function otherAddress(datagram: Uint8Array): Endpoint | undefined {
  const value = decode(Buffer.from(datagram)).getAttribute(constants.STUN_ATTR_OTHER_ADDRESS!)?.value
  if (typeof value !== 'object' || value === null || !('address' in value && 'port' in value))
    return undefined
  return { address: String(value.address), port: Number(value.port) }
}
