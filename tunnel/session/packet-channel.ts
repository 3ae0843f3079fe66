import type { QuicConnection } from '../quic/connection.ts'
import type { QuicStream } from '../quic/stream.ts'
import type { Target } from './frames/address.ts'
import {
  decodePacket,
  decodeRefusedTarget,
  encodePacket,
  encodeRefusedTarget,
  type Packet,
} from './frames/packet.ts'
import type { RefusalReason } from './frames/reply.ts'

/**
 * UDP packets of one association between the two ends. Each goes as a QUIC datagram that begins with
 * the association's stream id (32 bits), and on the stream, behind a 16-bit length, when it is too
 * large for one. Nothing waits: what cannot be sent at once is lost, as with UDP itself.
 */
export interface PacketChannel {
  /** The other end has not been heard of late: what is sent may be lost. */
  readonly silent: boolean
  /** False when the packet was lost at once. */
  send(packet: Packet): boolean
  /** The bytes of the packet are valid only until it returns. */
  onPacket: (packet: Packet) => void
  /** Tells the other end that it will not send to this target, and why. False when that was lost. */
  refuse(target: Target, reason: RefusalReason): boolean
  /** The other end will not send to this target. */
  onRefused: (target: Target, reason: RefusalReason) => void
  /** The association is over, from either side. */
  onClose: () => void
  close(): void
}

const idLength = 4
const largest = 65_535
/** Bytes of large packets that may wait for the stream. */
const maxWaiting = 1024 * 1024

const channels = new WeakMap<QuicConnection, Map<number, (bytes: Uint8Array) => void>>()

/** Opens the channel of a stream whose request and reply are done. */
export function openPacketChannel(connection: QuicConnection, stream: QuicStream): PacketChannel {
  const byId = channelsOf(connection)
  let over = false
  let waiting: Uint8Array[] = []
  let waitingBytes = 0

  const finish = () => {
    if (over) return
    over = true
    byId.delete(stream.id)
    channel.onClose()
  }
  const receive = (bytes: Uint8Array) => {
    if (over) return
    try {
      const refused = decodeRefusedTarget(bytes)
      if (refused) channel.onRefused(refused.target, refused.reason)
      else channel.onPacket(decodePacket(bytes))
    } catch {
      // A malformed packet is lost, and only that one.
    }
  }
  const flush = () => {
    while (!stream.full) {
      const first = waiting.shift()
      if (!first) return
      waitingBytes -= first.length
      stream.write(first)
    }
  }
  const sendOnStream = (packet: Uint8Array): boolean => {
    if (packet.length > largest || waitingBytes + packet.length > maxWaiting) return false
    const framed = Buffer.concat([Buffer.of(packet.length >> 8, packet.length & 255), packet])
    waiting.push(framed)
    waitingBytes += framed.length
    flush()
    return true
  }

  const sendBytes = (bytes: Uint8Array): boolean => {
    if (over) return false
    if (idLength + bytes.length > connection.maxDatagram()) return sendOnStream(bytes)
    const id = Buffer.alloc(idLength)
    id.writeUInt32BE(stream.id)
    return connection.sendDatagram(Buffer.concat([id, bytes]))
  }

  const channel: PacketChannel = {
    onPacket() {},
    onRefused() {},
    onClose() {},
    get silent() {
      return connection.silent
    },
    send: packet => sendBytes(encodePacket(packet)),
    refuse: (target, reason) => sendBytes(encodeRefusedTarget({ target, reason })),
    close() {
      waiting = []
      stream.abort(0)
      finish()
    },
  }
  byId.set(stream.id, receive)
  stream.attach({
    data: packetCutter(receive),
    end: () => channel.close(),
    drain: flush,
    close: finish,
  })
  return channel
}

// --- internal ---

/** The connection's datagrams, handed to the association that each names. */
function channelsOf(connection: QuicConnection): Map<number, (bytes: Uint8Array) => void> {
  let byId = channels.get(connection)
  if (!byId) {
    const created = new Map<number, (bytes: Uint8Array) => void>()
    byId = created
    channels.set(connection, created)
    connection.onDatagram = datagram => {
      if (datagram.length < idLength) return
      const id = new DataView(datagram.buffer, datagram.byteOffset).getUint32(0)
      created.get(id)?.(datagram.subarray(idLength))
    }
  }
  return byId
}

/** Cuts the stream's bytes into packets. */
function packetCutter(onPacket: (bytes: Uint8Array) => void): (chunk: Uint8Array) => void {
  let pending: Buffer = Buffer.alloc(0)
  return chunk => {
    pending = Buffer.concat([pending, chunk])
    while (pending.length >= 2) {
      const length = pending.readUInt16BE(0)
      if (pending.length < 2 + length) break
      onPacket(pending.subarray(2, 2 + length))
      pending = pending.subarray(2 + length)
    }
  }
}
