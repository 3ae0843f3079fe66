import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import native from '@matrixai/quic/dist/native/quiche.js'
import type {
  ConfigConstructor,
  Connection,
  ConnectionConstructor,
} from '@matrixai/quic/dist/native/types.js'
import type { Endpoint } from '../../../tunnel/net/endpoint.ts'
import { growReceiveBuffer, receiveBufferSize } from '../../../tunnel/net/udp/receive-buffer.ts'
import { chunkSize, type End, type EndSpec, serve } from './end.ts'

// The least that moves bytes over the native binding: one socket, one pump a turn of the event loop, one
// timer. No streams but the one, no limits, no checks: the ceiling of what can be built on it. The kernel's
// receive buffer is as large as the tunnel's, for otherwise loss would be measured, and not the loop.

const quiche = native as unknown as { Config: ConfigConstructor; Connection: ConnectionConstructor }

interface BareSocket {
  port: number
  connect(peer: Endpoint): Promise<void>
  /** Sends packets[0..count). */
  send(packets: Uint8Array[], lengths: number[], count: number): void
}

const packetSize = 1350
const batchSize = 64
const window = 32 * 1024 * 1024

function configure({ key, certificate }: EndSpec) {
  const config = quiche.Config.withBoringSslCtx(
    true,
    true,
    null,
    [Buffer.from(key)],
    [Buffer.from(certificate)],
    null,
  )
  config.setApplicationProtos(['bare'])
  config.setMaxIdleTimeout(30_000)
  config.setMaxRecvUdpPayloadSize(65_527)
  config.setMaxSendUdpPayloadSize(packetSize)
  config.setInitialMaxData(window)
  config.setInitialMaxStreamDataBidiLocal(window)
  config.setInitialMaxStreamDataBidiRemote(window)
  config.setInitialMaxStreamsBidi(100)
  config.setMaxStreamWindow(window)
  config.setMaxConnectionWindow(window)
  return config
}

void serve(async spec => {
  const config = configure(spec)
  const socket = await ('Bun' in globalThis ? openBun : openNode)(spec.address, receive)
  const local = { host: spec.address, port: socket.port }
  const remote = { host: '', port: 0 }
  const buffers = Array.from({ length: batchSize }, () => new Uint8Array(packetSize))
  const lengths: number[] = new Array(batchSize).fill(0)
  const chunk = new Uint8Array(chunkSize)
  const established = Promise.withResolvers<void>()
  let connection: Connection | undefined
  let stream = spec.role === 'client' ? 0 : 1
  let left = 0
  let scheduled = false
  const packets = { sent: 0, batches: 0 }
  let timer: ReturnType<typeof setTimeout> | undefined

  function receive(datagram: Uint8Array): void {
    // The other end was told first; it sends again.
    if (remote.port === 0) return
    connection ??= quiche.Connection.accept(randomBytes(16), null, local, remote, config)
    try {
      connection.recv(datagram, { from: remote, to: local })
    } catch {
      // "Done" and the like.
    }
    wake()
  }

  function wake(): void {
    if (scheduled) return
    scheduled = true
    setImmediate(pump)
  }

  function pump(): void {
    scheduled = false
    if (!connection) return
    for (const id of connection.readable()) {
      for (let fin = false; !fin; ) {
        const read = connection.streamRecv(id, chunk)
        if (!read) break
        fin = read[1]
        end.onReceived(read[0], fin)
      }
    }
    while (left > 0) {
      const part = left < chunkSize ? chunk.subarray(0, left) : chunk
      const taken = connection.streamSend(stream, part, left <= chunkSize) ?? 0
      left -= taken
      if (left === 0) stream += 4
      if (taken < part.length) break
    }
    for (let filled = batchSize; filled === batchSize; ) {
      filled = 0
      while (filled < batchSize) {
        const packet = connection.send(buffers[filled]!)
        if (!packet) break
        lengths[filled++] = packet[0]
      }
      if (filled === 0) break
      packets.sent += filled
      packets.batches++
      socket.send(buffers, lengths, filled)
    }
    if (connection.isEstablished()) established.resolve()
    clearTimeout(timer)
    const timeout = connection.timeout()
    if (timeout !== null) timer = setTimeout(expire, Math.ceil(timeout))
  }

  function expire(): void {
    connection?.onTimeout()
    wake()
  }

  const end: End = {
    port: socket.port,
    async connect(peer) {
      remote.host = peer.address
      remote.port = peer.port
      await socket.connect(peer)
      if (spec.role === 'client') {
        connection = quiche.Connection.connect(null, randomBytes(16), local, remote, config)
        wake()
      }
      await established.promise
    },
    send(bytes) {
      left = bytes
      wake()
    },
    packets: () => packets,
    onReceived() {},
  }
  return end
})

/** node:dgram, connected: that spares a look-up of the address per packet. */
async function openNode(address: string, onDatagram: (datagram: Uint8Array) => void): Promise<BareSocket> {
  const raw = createSocket('udp4', onDatagram)
  await new Promise<void>(resolve => raw.bind(0, address, resolve))
  raw.setRecvBufferSize(receiveBufferSize)
  return {
    port: raw.address().port,
    connect: peer => new Promise(resolve => raw.connect(peer.port, peer.address, resolve)),
    send(packets, lengths, count) {
      for (let i = 0; i < count; i++) raw.send(packets[i]!, 0, lengths[i]!)
    },
  }
}

/** Bun.udpSocket: a batch is one system call. */
async function openBun(address: string, onDatagram: (datagram: Uint8Array) => void): Promise<BareSocket> {
  let peer: Endpoint = { address: '', port: 0 }
  const raw = await Bun.udpSocket({
    hostname: address,
    binaryType: 'uint8array',
    socket: { data: (_socket, datagram) => onDatagram(datagram as Uint8Array) },
  })
  if ('fd' in raw && typeof raw.fd === 'number') await growReceiveBuffer(raw.fd)
  return {
    port: raw.port,
    async connect(to) {
      peer = to
    },
    send(packets, lengths, count) {
      const batch: (Uint8Array | number | string)[] = []
      for (let i = 0; i < count; i++) batch.push(packets[i]!.subarray(0, lengths[i]), peer.port, peer.address)
      raw.sendMany(batch)
    },
  }
}
