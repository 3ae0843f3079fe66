import { isIP } from 'node:net'
import { growReceiveBuffer } from '../../../../tunnel/net/udp/receive-buffer.ts'
import type { Target } from '../../../../tunnel/session/frames/address.ts'
import { decodePacket, encodePacket, type Packet } from '../../../../tunnel/session/frames/packet.ts'
import { reply } from '../../../../tunnel/session/frames/reply.ts'
import { tunnelTo } from '../../../../tunnel/session/open-stream.ts'
import { openPacketChannel, type PacketChannel } from '../../../../tunnel/session/packet-channel.ts'
import type { Exits } from '../../fleet/exits.ts'
import { type ConnectionTracker, nextConnection, trackConnection } from '../../outbound/connection-tracker.ts'
import { directPackets } from '../../outbound/direct-packets.ts'
import { outboundFor, type Rule } from '../../outbound/rules.ts'
import { TargetError } from '../../outbound/target-errors.ts'
import type { Events } from '../../stats/events.ts'
import { plainAddress } from '../source.ts'

export interface AssociateOptions {
  exits: Exits
  rules: readonly Rule[]
  events: Events
  /** Associations of all clients together; more are refused. */
  most: number
}

/** Who wants an association, and where it ends. */
export interface Associated {
  /** The address that its TCP connection comes from: only that one may use it. */
  client: string
  /** This end's address of that connection, which the packets go to as well. */
  local: string
  /** Where the request says that its packets will come from; zeros where the client does not know yet. */
  from: Target
  user: string | undefined
  /** Aborted when the TCP connection is gone, and with it the association (RFC 1928, section 7). */
  signal: AbortSignal
}

/** Opens an association and gives the address that its packets go to. Rejects with an OutboundError. */
export type Associate = (wanted: Associated) => Promise<Target>

/** RSV and FRAG (RFC 1928, section 7). */
const headerLength = 3
/** Packets wait this long for an exit; what is more than so many bytes of them is lost meanwhile. */
const exitLimitMs = 10_000
const maxWaiting = 256 * 1024
/** What one packet takes besides its data, roughly. Bytes. */
const packetOverhead = 256

/** UDP for SOCKS5 clients: packets in and out of a local socket, carried by an exit, or straight where a rule says so. */
export function associator({ exits, rules, events, most }: AssociateOptions): Associate {
  let associations = 0
  return async ({ from, user, signal, ...addresses }) => {
    // An IPv4 client of a listener for both families expects an IPv4 address to send to.
    const client = plainAddress(addresses.client)
    const local = plainAddress(addresses.local)
    if (associations >= most) throw new TargetError('E_ASSOCIATIONS_FULL', client)
    associations++
    signal.addEventListener('abort', () => associations--, { once: true })
    let port = portOf(from, client)
    const toClient = ({ target, data }: Packet) => {
      if (port !== undefined && !signal.aborted)
        socket.send(Buffer.concat([Buffer.alloc(headerLength), encodePacket({ target, data })]), port, client)
    }
    const tunnel = tunnelPackets({ exits, events, user, signal, onPacket: toClient })
    const direct = directPackets(signal, toClient)
    const socket = await Bun.udpSocket({
      hostname: local,
      port: 0,
      socket: {
        data(_socket, bytes, fromPort, fromAddress) {
          if (fromAddress !== client || (port !== undefined && fromPort !== port)) return
          const packet = readPacket(bytes)
          if (!packet) return
          port ??= fromPort
          const outbound = outboundFor(rules, packet.target)
          if (outbound === 'tunnel') tunnel(packet)
          else if (outbound === 'direct') direct(packet)
        },
        error() {},
      },
    })
    if ('fd' in socket && typeof socket.fd === 'number') await growReceiveBuffer(socket.fd)
    if (signal.aborted) socket.close()
    else signal.addEventListener('abort', () => socket.close(), { once: true })
    return { host: local, port: socket.port }
  }
}

// --- internal ---

/**
 * The one port that may use an association; undefined: the port of the first packet. An address of another machine
 * than the request came from is one before a translation, and so is its port.
 */
function portOf({ host, port }: Target, client: string): number | undefined {
  if (port === 0) return undefined
  const named = plainAddress(host)
  return isIP(host) === 0 || unspecified.has(named) || named === client ? port : undefined
}

const unspecified = new Set(['0.0.0.0', '::'])

/** A client's packet; undefined for a fragment, which a relay may drop (RFC 1928, section 7), and for what is malformed. */
function readPacket(bytes: Uint8Array): Packet | undefined {
  if (bytes.length < headerLength || bytes[2] !== 0) return undefined
  try {
    return decodePacket(bytes.subarray(headerLength))
  } catch {
    return undefined
  }
}

type Send = (packet: Packet) => void

interface TunnelOptions {
  exits: Exits
  events: Events
  user: string | undefined
  signal: AbortSignal
  onPacket: Send
}

/** Through an exit, and through another one when that is lost: the client does not notice. */
function tunnelPackets({ exits, events, user, signal, onPacket }: TunnelOptions): Send {
  let channel: PacketChannel | undefined
  let tracker: ConnectionTracker | undefined
  let opening = false
  let waiting: Packet[] = []
  let waitingBytes = 0

  const open = async (host: string) => {
    opening = true
    const started = performance.now()
    try {
      const session = await exits.select({ host, user, signal }, exitLimitMs)
      const stream = session.connection.open()
      const { code } = await tunnelTo(
        stream,
        { command: 'associate', target: { host: '0.0.0.0', port: 0 } },
        signal,
      )
      if (code !== reply.succeeded || stream.aborted || signal.aborted) return stream.abort(0)
      channel = openPacketChannel(session.connection, stream)
      const target = `${host}:${waiting[0]?.target.port ?? 0}`
      const opened = trackConnection(events, {
        connection: nextConnection(),
        outbound: 'tunnel',
        session: session.id,
        target,
        started,
      })
      tracker = opened
      channel.onPacket = packet => {
        opened.counts.down += packet.data.length
        onPacket(packet)
      }
      channel.onClose = () => {
        channel = undefined
        opened.onEnd(signal.aborted ? 'complete' : 'target-closed')
      }
      for (const packet of waiting) send(channel, packet)
    } catch {
      // No exit, or it was lost: what waits is lost with it, and the next packet tries again.
    } finally {
      waiting = []
      waitingBytes = 0
      opening = false
    }
  }
  const send = (to: PacketChannel, packet: Packet) => {
    if (to.send(packet) && tracker) tracker.counts.up += packet.data.length
  }
  signal.addEventListener('abort', () => channel?.close(), { once: true })
  return packet => {
    if (signal.aborted) return
    // An exit that has fallen silent may be gone: another takes over before that is certain.
    if (channel?.silent) channel.close()
    if (channel) send(channel, packet)
    else if (waitingBytes + packet.data.length + packetOverhead < maxWaiting) {
      waitingBytes += packet.data.length + packetOverhead
      waiting.push({ target: packet.target, data: new Uint8Array(packet.data) })
      if (!opening) void open(packet.target.host)
    }
  }
}
