import { createSocket } from 'node:dgram'
import { promisify } from 'node:util'
import type { Endpoint } from '../endpoint.ts'
import { receiveBufferSize } from './receive-buffer.ts'
import type { PacketSocket, UdpOptions } from './socket.ts'

/** node:dgram. Once connected, the kernel drops other sources and skips the look-up of the address. */
export async function openNodeSocket({ address = '0.0.0.0', port = 0 }: UdpOptions): Promise<PacketSocket> {
  const raw = createSocket({
    type: 'udp4',
    // All addresses are numbers. Node's own look-up takes a turn of the event loop, and holds the packet until then.
    lookup: (address, _options, callback) => callback(null, address, 4),
  })
  await new Promise<void>((resolve, reject) => {
    raw.once('error', reject)
    raw.bind({ address, port, exclusive: true }, () => {
      raw.off('error', reject)
      resolve()
    })
  })
  let closed = false
  let peerAddress = ''
  let peerPort = 0
  let aimedAt: Endpoint | undefined
  try {
    raw.setRecvBufferSize(receiveBufferSize)
  } catch {
    // The system's own size serves, only less well.
  }
  // An ICMP error for an earlier datagram (say, port unreachable) says nothing about this socket.
  raw.on('error', () => {})
  raw.on('message', (datagram, from) => {
    // What was queued before connect() may be anybody's.
    if (peerPort !== 0 && (from.port !== peerPort || from.address !== peerAddress)) return
    socket.onDatagram(datagram, from.address, from.port)
  })
  /** A packet that waits in Node's queue will say when it has gone, and with it all before it. */
  let full = false
  const drained = () => {
    full = false
    socket.onDrain()
  }

  const sendOne = (packet: Uint8Array, length: number, done?: () => void) => {
    if (aimedAt) raw.send(packet, 0, length, aimedAt.port, aimedAt.address, done)
    else raw.send(packet, 0, length, done)
  }

  const socket: PacketSocket = {
    local: { address: raw.address().address, port: raw.address().port },
    receiveBufferBytes: raw.getRecvBufferSize(),
    onDatagram() {},
    onDrain() {},
    send(datagram, to) {
      if (closed) return
      const copy = Buffer.from(datagram)
      if (peerPort === 0) raw.send(copy, to.port, to.address, () => {})
      else if (to.port === peerPort && to.address === peerAddress) raw.send(copy, () => {})
    },
    async connect(peer) {
      await promisify<number, string>(raw.connect.bind(raw))(peer.port, peer.address)
      peerAddress = peer.address
      peerPort = peer.port
    },
    aim(peer) {
      aimedAt = peer
    },
    sendBatch(packets, lengths, from, count) {
      if (closed || (peerPort === 0 && !aimedAt)) return count
      if (full) return from
      for (let i = from; i < count; i++) {
        const packet = packets[i]!
        // Node tries the system call at once; only a packet that had to be queued, or comes behind one, is still held.
        full = raw.getSendQueueCount() > 0
        sendOne(packet, lengths[i]!, full ? drained : undefined)
        if (full || raw.getSendQueueCount() > 0) packets[i] = new Uint8Array(packet.length)
        if (full) return i + 1
      }
      return count
    },
    close() {
      if (closed) return
      closed = true
      raw.close()
    },
  }
  return socket
}
