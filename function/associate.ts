import { createSocket, type Socket } from 'node:dgram'
import { createPeers } from '../tunnel/net/udp/peers.ts'
import { receiveBufferSize } from '../tunnel/net/udp/receive-buffer.ts'
import type { Target } from '../tunnel/session/frames/address.ts'
import type { PacketChannel } from '../tunnel/session/packet-channel.ts'
import type { Log } from './log.ts'
import type { Resolver } from './resolve.ts'

export interface AssociateOptions {
  resolver: Resolver
  log: Log
  /** An association over which nothing goes for this long is ended. Milliseconds, two minutes by default. */
  idleMs?: number
}

/** Bytes that may wait for the system to take them, an association: the rest of a flood is lost. */
const maxUnsent = 1024 * 1024
/** Packets whose target is being resolved, an association: the rest of a flood is lost. */
const maxLookups = 2_048

/**
 * The exit's end of a UDP association: sends the client's packets from a socket of its own, and back
 * what comes from addresses that were sent to. Ends with the channel, or when it is idle.
 */
export function associate(channel: PacketChannel, options: AssociateOptions): void {
  const { resolver, log, idleMs = 120_000 } = options
  const sockets = new Map<number, Socket>()
  const peers = createPeers()
  let lookups = 0
  let idle: ReturnType<typeof setTimeout> | undefined
  let over = false

  const touch = () => {
    idle ??= setTimeout(() => channel.close(), idleMs)
    idle.refresh()
  }
  const socketFor = (family: number): Socket => {
    let socket = sockets.get(family)
    if (!socket) {
      socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4', recvBufferSize: receiveBufferSize })
      // An ICMP error or a target that cannot be reached: the packet is lost, the association goes on.
      socket.on('error', () => {})
      socket.on('message', (data, from) => {
        if (!peers.has(from)) return
        touch()
        channel.send({ target: { host: from.address, port: from.port }, data })
      })
      sockets.set(family, socket)
    }
    return socket
  }
  const forward = async ({ host, port }: Target, data: Uint8Array) => {
    if (lookups >= maxLookups || port === 0) return
    lookups++
    try {
      const addresses = await resolver.resolve(host)
      // Packets cannot race as connections do, and every exit has IPv4.
      const { address, family } = addresses.find(({ family }) => family === 4) ?? addresses[0]!
      if (over) return
      peers.add({ address, port })
      const socket = socketFor(family)
      if (socket.getSendQueueSize() < maxUnsent) socket.send(data, port, address, () => {})
    } catch (error) {
      log.debug('packet refused', { target: `${host}:${port}`, error: String(error) })
    } finally {
      lookups--
    }
  }

  touch()
  channel.onPacket = ({ target, data }) => {
    touch()
    void forward(target, new Uint8Array(data))
  }
  channel.onClose = () => {
    over = true
    clearTimeout(idle)
    for (const socket of sockets.values()) socket.close()
  }
}
