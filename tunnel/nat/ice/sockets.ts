import type { Endpoint } from '../../net/endpoint.ts'
import type { UdpSocket } from '../../net/udp/socket.ts'
import type { Outgoing } from './check-list.ts'
import { relayVia } from './route.ts'

/** A relay's address is sent from and heard like a socket. */
export type Way = Pick<UdpSocket, 'onDatagram' | 'send' | 'close'>

/**
 * The sockets of one punch: the session's own, which is number 0, those that are opened beside it when first used, and
 * the address that a relay lends.
 */
export interface Sockets {
  send(outgoing: Outgoing): void
  /** How many sockets are or were open, the first among them. */
  readonly opened: number
  get(via: number): Way | undefined
  /** Closes all sockets but the first and these, and opens no more; what arrives still goes to the handler. */
  closeAllBut(...vias: number[]): void
  /** Closes all but the first, which is the caller's, and stops listening. */
  abandon(): void
}

/** Takes over `first.onDatagram`. Where the system gives no more sockets, what was to go by them is lost. */
export function createSockets(
  first: UdpSocket,
  relay: Way | undefined,
  onDatagram: (datagram: Uint8Array, from: Endpoint, via: number) => void,
  openSocket: () => Promise<UdpSocket>,
): Sockets {
  const ways = new Map<number, Way>()
  const opening = new Set<number>()
  let opened = 0
  let over = false

  const add = (via: number, way: Way) => {
    ways.set(via, way)
    if (via !== relayVia) opened++
    way.onDatagram = (datagram, address, port) => onDatagram(datagram, { address, port }, via)
  }
  const open = async ({ datagram, to }: Outgoing) => {
    opening.add(to.via)
    try {
      const socket = await openSocket()
      if (over) return socket.close()
      add(to.via, socket)
      socket.send(datagram, to)
    } catch {
      // Too many open files, say: the next round tries again.
    } finally {
      opening.delete(to.via)
    }
  }
  const closeAllBut = (...vias: number[]) => {
    over = true
    for (const [via, way] of ways)
      if (via !== 0 && !vias.includes(via)) {
        way.close()
        ways.delete(via)
      }
  }
  add(0, first)
  if (relay) add(relayVia, relay)

  return {
    get opened() {
      return opened
    },
    send(outgoing) {
      const { via } = outgoing.to
      const way = ways.get(via)
      if (way) way.send(outgoing.datagram, outgoing.to)
      else if (!over && via !== relayVia && !opening.has(via)) void open(outgoing)
    },
    get: via => ways.get(via),
    closeAllBut,
    abandon() {
      closeAllBut()
      first.onDatagram = () => {}
    },
  }
}
