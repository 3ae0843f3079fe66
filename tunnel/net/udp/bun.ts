import type { Endpoint } from '../endpoint.ts'
import { growReceiveBuffer } from './receive-buffer.ts'
import type { PacketSocket, UdpOptions } from './socket.ts'

/** Bun.udpSocket: many packets a system call, which is worth half as much throughput again. */
export async function openBunSocket({ address = '0.0.0.0', port = 0 }: UdpOptions): Promise<PacketSocket> {
  let peer: Endpoint | undefined
  let isConnected = false
  let closed = false
  // data, port, address for each packet, as sendMany takes them; kept to spare an array per batch.
  const batch: (Uint8Array | number | string)[] = []

  const raw = await Bun.udpSocket({
    hostname: address,
    port,
    binaryType: 'uint8array',
    socket: {
      data(_socket, datagram, fromPort, fromAddress) {
        if (isConnected && peer && (fromPort !== peer.port || fromAddress !== peer.address)) return
        socket.onDatagram(datagram as Uint8Array, fromAddress, fromPort)
      },
      drain() {
        socket.onDrain()
      },
      // An ICMP error for an earlier datagram (say, port unreachable) says nothing about this socket.
      error() {},
    },
  })

  if ('fd' in raw && typeof raw.fd === 'number') await growReceiveBuffer(raw.fd)

  const socket: PacketSocket = {
    local: { address: raw.hostname, port: raw.port },
    onDatagram() {},
    onDrain() {},
    send(datagram, to) {
      if (closed) return
      try {
        raw.send(datagram, to.port, to.address)
      } catch {
        // Unreachable network and the like: the datagram is lost, which every caller expects.
      }
    },
    async connect(to) {
      peer = to
      isConnected = true
    },
    aim(to) {
      peer = to
    },
    sendBatch(packets, lengths, from, count) {
      if (closed || !peer) return count
      batch.length = (count - from) * 3
      for (let i = from, at = 0; i < count; i++) {
        const packet = packets[i]!
        batch[at++] = lengths[i] === packet.length ? packet : packet.subarray(0, lengths[i])
        batch[at++] = peer.port
        batch[at++] = peer.address
      }
      try {
        return from + raw.sendMany(batch)
      } catch {
        return count
      }
    },
    close() {
      if (closed) return
      closed = true
      raw.close()
    },
  }
  return socket
}
