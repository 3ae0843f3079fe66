import type { Endpoint } from '../../net/endpoint.ts'
import type { UdpSocket } from '../../net/udp/socket.ts'
import type { Allocation } from '../turn/allocation.ts'
import { type Bridge, openBridge } from './bridge.ts'
import { isRelayed } from './candidate.ts'
import type { Nominated } from './pair.ts'
import { type Route, relayVia, sameRoute } from './route.ts'
import type { Sockets } from './sockets.ts'

/** Where a session's packets go from its socket, and how that changes. */
export interface Path {
  /** The pair in use. */
  readonly nominated: Nominated
  /** Where the socket sends to now: the peer, or a bridge to what reaches it. */
  readonly peer: Endpoint
  /** It may move, from a relay to a direct pair: `onMoved` then tells, once. */
  readonly mayMove: boolean
  /** The socket is to send to `peer` from here on. */
  onMoved: (nominated: Nominated, peer: Endpoint) => void
  /** Takes a better pair's nomination. */
  take(nominated: Nominated): void
  /** Hands a QUIC packet that came another way to the socket; false when it is not the peer's or came by the socket. */
  deliver(datagram: Uint8Array, from: Route): boolean
  close(): void
}

/** What is on its way by the relay when the path moves still arrives. Milliseconds. */
const graceMs = 3_000

/** The path of a direct pair: all other sockets close, and a relay is given back. */
export function directPath({ sockets, nominated }: { sockets: Sockets; nominated: Nominated }): Path {
  sockets.closeAllBut(nominated.via)
  // The first socket is the session's no longer when another one won.
  if (nominated.via !== 0) sockets.get(0)?.close()
  return {
    nominated,
    peer: nominated,
    mayMove: false,
    onMoved() {},
    take() {},
    deliver: () => false,
    close() {},
  }
}

export interface RelayedPathOptions {
  /** The session's own. */
  socket: UdpSocket
  sockets: Sockets
  /** This side's; the relayed address may be the other side's instead. */
  relay: Pick<Allocation, 'bind'> | undefined
  nominated: Nominated
  mayMove: boolean
}

/**
 * The path of a relayed pair. A relay of the other side's is an address like any other; one's own is reached by a
 * bridge, as is a direct pair of another socket than the session's.
 */
export async function relayedPath(options: RelayedPathOptions): Promise<Path> {
  const { socket, sockets, relay, nominated, mayMove } = options
  let bridge: Bridge | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let over = false

  /** Where the socket sends to, so that what it sends takes this route. */
  const lead = async (route: Route): Promise<Endpoint> => {
    const way = sockets.get(route.via)
    if (route.via === 0 || !way) return { address: route.address, port: route.port }
    bridge ??= await openBridge(socket.local.port)
    bridge.onward = datagram => way.send(datagram, route)
    return bridge.local
  }
  const move = async (better: Nominated) => {
    const peer = await lead(better)
    if (over) return bridge?.close()
    used = { nominated: better, peer }
    path.onMoved(better, peer)
    timer = setTimeout(() => sockets.closeAllBut(better.via), graceMs)
    timer.unref()
  }

  /** The pair that is nominated last, and what the socket sends to by now. */
  let latest = nominated
  let used = { nominated, peer: await lead(nominated) }
  if (nominated.via === relayVia) relay?.bind(nominated)
  const path: Path = {
    get nominated() {
      return used.nominated
    },
    get peer() {
      return used.peer
    },
    mayMove,
    onMoved() {},
    take(better) {
      if (over || !isRelayed(latest) || isRelayed(better)) return
      latest = better
      // The system has no more sockets: the relay goes on to serve.
      void move(better).catch(() => {})
    },
    deliver(datagram, from) {
      if (!bridge || from.via === 0) return false
      if (!sameRoute(from, latest) && !sameRoute(from, nominated)) return false
      bridge.deliver(datagram)
      return true
    },
    close() {
      over = true
      clearTimeout(timer)
      bridge?.close()
      sockets.closeAllBut()
    },
  }
  return path
}
