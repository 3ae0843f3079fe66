import { isIP } from 'node:net'
import { createPeers } from '../../../tunnel/net/udp/peers.ts'
import type { Target } from '../../../tunnel/session/frames/address.ts'
import type { Packet } from '../../../tunnel/session/frames/packet.ts'
import type { Events } from '../stats/events.ts'
import { type ConnectionTracker, nextConnection, trackConnection } from './connection-tracker.ts'
import type { Requester } from './outbound.ts'

export interface DirectPacketsOptions extends Requester {
  events: Events
  onPacket: (packet: Packet) => void
}

/**
 * Sends an association's packets from this machine, where a rule says so, and gives what comes back from whom they
 * went to. Addresses only: a client that names a host wants it resolved elsewhere.
 */
export function directPackets({
  events,
  login,
  signal,
  onPacket,
}: DirectPacketsOptions): (packet: Packet) => void {
  const sockets = new Map<number, Promise<Bun.udp.Socket<'buffer'>>>()
  const peers = createPeers()
  let tracker: ConnectionTracker | undefined
  /** All of them together are one connection, named after the first target. */
  const track = ({ host, port }: Target) => {
    const opened = trackConnection(events, {
      connection: nextConnection(),
      outbound: 'direct',
      session: undefined,
      target: `${host}:${port}`,
      user: login?.user,
      started: performance.now(),
    })
    signal.addEventListener('abort', () => opened.onEnd('complete'), { once: true })
    return opened
  }
  const open = async (family: number) => {
    const opened = await Bun.udpSocket({
      hostname: family === 6 ? '::' : '0.0.0.0',
      socket: {
        data(_socket, data, port, host) {
          if (!peers.has({ address: host, port })) return
          if (tracker) tracker.counts.down += data.length
          onPacket({ target: { host, port }, data })
        },
        error() {},
      },
    })
    if (signal.aborted) opened.close()
    else signal.addEventListener('abort', () => opened.close(), { once: true })
    return opened
  }
  return async ({ target, data }) => {
    const family = isIP(target.host)
    if (family === 0) return
    const bytes = new Uint8Array(data)
    const socket = sockets.get(family) ?? open(family)
    sockets.set(family, socket)
    try {
      const sender = await socket.catch(error => {
        // For want of descriptors, say: the next packet tries again.
        sockets.delete(family)
        throw error
      })
      peers.add({ address: target.host, port: target.port })
      if (signal.aborted) return
      tracker ??= track(target)
      if (sender.send(bytes, target.port, target.host)) tracker.counts.up += bytes.length
    } catch {
      // An address that cannot be reached: the packet is lost.
    }
  }
}
