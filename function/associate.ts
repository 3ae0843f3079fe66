import { createSocket, type Socket } from 'node:dgram'
import { BoundedMap } from '../tunnel/net/bounded-map.ts'
import type { Idler } from '../tunnel/net/idlest.ts'
import { createPeers } from '../tunnel/net/udp/peers.ts'
import { receiveBufferSize } from '../tunnel/net/udp/receive-buffer.ts'
import type { Target } from '../tunnel/session/frames/address.ts'
import type { RefusalReason } from '../tunnel/session/frames/reply.ts'
import type { PacketChannel } from '../tunnel/session/packet-channel.ts'
import type { AssociationTable } from './association-table.ts'
import { reasonOf } from './dial.ts'
import type { Log } from './log.ts'
import type { Resolver } from './resolve.ts'

export interface AssociateOptions {
  resolver: Resolver
  log: Log
  /** All associations of the exit. */
  table: AssociationTable
  /** An association over which nothing goes for this long is ended. Milliseconds, two minutes by default. */
  idleMs?: number
}

/** Bytes that may wait for the system to take them, an association: the rest of a flood is lost. */
const maxUnsent = 1024 * 1024
/** Packets whose target is being resolved, an association: the rest of a flood is lost. */
const maxLookups = 2_048
/** Targets that the client is told are refused, each once, an association. */
const maxTold = 64

/**
 * The exit's end of a UDP association: sends the client's packets from a socket of its own, and back
 * what comes from addresses that were sent to. Ends with the channel, or when it is idle.
 */
export function associate(channel: PacketChannel, options: AssociateOptions): void {
  const { resolver, log, table, idleMs = 120_000 } = options
  const self: Idler = { usedAt: performance.now(), giveUp: () => channel.close() }
  table.enter(self)
  const sockets = new Map<number, Socket>()
  const told = new BoundedMap<string, true>(maxTold)
  const peers = createPeers()
  let lookups = 0
  let idle: ReturnType<typeof setTimeout> | undefined
  let isShort = false
  let over = false

  const touch = () => {
    self.usedAt = performance.now()
    idle ??= setTimeout(() => channel.close(), idleMs)
    idle.refresh()
  }
  const openSocket = (family: number, target: Target): Socket => {
    const socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4', recvBufferSize: receiveBufferSize })
    const giveUp = () => {
      table.sockets.delete(use)
      sockets.delete(family)
      socket.close()
    }
    const use = {
      get usedAt() {
        return self.usedAt
      },
      giveUp,
    }
    table.addSocket(use)
    sockets.set(family, socket)
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // An ICMP error or a target that cannot be reached: the packet is lost, the association goes on.
      if (error.syscall !== 'bind' || over) return
      // Once an association: a log costs money.
      if (!isShort) log.warn('no socket for an association', { code: error.code })
      isShort = true
      giveUp()
      table.freeSockets()
      tellRefused(target, 'no-room')
    })
    socket.on('message', (data, from) => {
      if (!peers.has(from)) return
      touch()
      channel.send({ target: { host: from.address, port: from.port }, data })
    })
    socket.on('close', () => table.sockets.delete(use))
    return socket
  }
  const tellRefused = ({ host, port }: Target, reason: RefusalReason | undefined) => {
    const target = `${host}:${port}`
    if (reason === undefined || told.has(target) || over) return
    told.set(target, true)
    channel.refuse({ host, port }, reason)
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
      const socket = sockets.get(family) ?? openSocket(family, { host, port })
      if (socket.getSendQueueSize() < maxUnsent) socket.send(data, port, address, () => {})
    } catch (error) {
      tellRefused({ host, port }, reasonOf(error))
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
    table.leave(self)
    for (const socket of sockets.values()) socket.close()
  }
}
