import type { Endpoint } from '../../net/endpoint.ts'
import type { UdpSocket } from '../../net/udp/socket.ts'
import type { Outgoing } from './check-list.ts'

/** The sockets of one punch: the session's own, which is number 0, and those that are opened beside it when first used. */
export interface Sockets {
  send(outgoing: Outgoing): void
  /** How many are or were open, the first among them. */
  readonly opened: number
  /** Closes all but this one and gives it; what arrives still goes to the handler. */
  keep(via: number): UdpSocket
  /** Closes all but the first, which is the caller's, and stops listening. */
  abandon(): void
}

/** Takes over `first.onDatagram`. Where the system gives no more sockets, what was to go by them is lost. */
export function createSockets(
  first: UdpSocket,
  onDatagram: (datagram: Uint8Array, from: Endpoint, via: number) => void,
  openSocket: () => Promise<UdpSocket>,
): Sockets {
  const sockets = new Map<number, UdpSocket>()
  const opening = new Set<number>()
  let over = false

  const add = (via: number, socket: UdpSocket) => {
    sockets.set(via, socket)
    socket.onDatagram = (datagram, address, port) => onDatagram(datagram, { address, port }, via)
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
  const closeAllBut = (via: number) => {
    over = true
    for (const [index, socket] of sockets) if (index !== via) socket.close()
  }
  add(0, first)

  return {
    get opened() {
      return sockets.size
    },
    send(outgoing) {
      const socket = sockets.get(outgoing.to.via)
      if (socket) socket.send(outgoing.datagram, outgoing.to)
      else if (!over && !opening.has(outgoing.to.via)) void open(outgoing)
    },
    keep(via) {
      closeAllBut(via)
      return sockets.get(via)!
    },
    abandon() {
      closeAllBut(0)
      first.onDatagram = () => {}
    },
  }
}
