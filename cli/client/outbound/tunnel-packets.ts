import type { Target } from '../../../tunnel/session/frames/address.ts'
import type { Packet } from '../../../tunnel/session/frames/packet.ts'
import { reply, unbound } from '../../../tunnel/session/frames/reply.ts'
import { tunnelTo } from '../../../tunnel/session/open-stream.ts'
import { openPacketChannel, type PacketChannel } from '../../../tunnel/session/packet-channel.ts'
import type { Exits } from '../fleet/exits.ts'
import type { Events } from '../stats/events.ts'
import { type ConnectionTracker, nextConnection, trackConnection } from './connection-tracker.ts'
import type { Requester } from './outbound.ts'
import { targetErrorOf } from './target-errors.ts'

export interface TunnelPacketsOptions extends Requester {
  exits: Exits
  events: Events
  onPacket: (packet: Packet) => void
  /** A packet to this target was lost: no exit carries it, or the exit does not send there. */
  onLost: (target: Target, error: unknown) => void
}

/** Packets wait this long for an exit; what is more than so many bytes of them is lost meanwhile. */
const exitLimitMs = 10_000
const maxWaiting = 256 * 1024
/** What one packet takes besides its data, roughly. Bytes. */
const packetOverhead = 256
/** After a failure there is no other try for so long, and what comes meanwhile is lost. Milliseconds. */
const retryMs = 1_000

/** Sends an association's packets through an exit, and through another one when that is lost: the client does not notice. */
export function tunnelPackets(options: TunnelPacketsOptions): (packet: Packet) => void {
  const { exits, events, user, login, signal, onPacket, onLost } = options
  let channel: PacketChannel | undefined
  let tracker: ConnectionTracker | undefined
  let opening = false
  let retryAt = 0
  let waiting: Packet[] = []
  let waitingBytes = 0

  const openChannel = async (first: Target) => {
    const started = performance.now()
    const session = await exits.select(
      { host: first.host, user, regions: login?.limits.exits, signal },
      exitLimitMs,
    )
    const stream = session.connection.open()
    const answer = await tunnelTo(stream, { command: 'associate', target: unbound }, signal)
    if (answer.code !== reply.succeeded || stream.aborted || signal.aborted) stream.abort(0)
    if (answer.code !== reply.succeeded) throw targetErrorOf(answer, first.host)
    if (stream.aborted || signal.aborted) return
    const opened = openPacketChannel(session.connection, stream)
    const connection = nextConnection()
    const target = `${first.host}:${first.port}`
    const about = {
      connection,
      outbound: 'tunnel',
      session: session.id,
      target,
      user: login?.user,
      started,
    } as const
    const opening = trackConnection(events, about)
    opened.onPacket = packet => {
      opening.counts.down += packet.data.length
      onPacket(packet)
    }
    opened.onRefused = (target, reason) =>
      onLost(target, targetErrorOf({ code: reply.failure, reason, bound: unbound }, target.host))
    opened.onClose = () => {
      channel = undefined
      opening.onEnd(signal.aborted ? 'complete' : 'target-closed')
    }
    channel = opened
    tracker = opening
    for (const packet of waiting) send(opened, packet)
  }
  const open = async (first: Target) => {
    opening = true
    try {
      await openChannel(first)
    } catch (error) {
      // No exit, or it was lost: what waits is lost with it, and a later packet tries again.
      retryAt = performance.now() + retryMs
      if (!signal.aborted) onLost(first, error)
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
    if (channel) return send(channel, packet)
    if (!opening && performance.now() < retryAt) return
    const length = packet.data.length + packetOverhead
    if (waitingBytes + length >= maxWaiting) return
    waitingBytes += length
    waiting.push({ target: packet.target, data: new Uint8Array(packet.data) })
    if (!opening) void open(packet.target)
  }
}
