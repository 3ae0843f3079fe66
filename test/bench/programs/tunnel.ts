import { QuicConnection } from '../../../tunnel/quic/connection.ts'
import type { QuicStream } from '../../../tunnel/quic/stream.ts'
import { openUdpSocket } from '../../../tunnel/udp/socket.ts'
import { chunkSize, type End, loopback, serve } from './end.ts'

// The tunnel's own socket, connection and stream, with nothing before or behind them.

void serve(async ({ role, key, certificate, pin }) => {
  const socket = await openUdpSocket({ address: loopback })
  const chunk = new Uint8Array(chunkSize)
  const identity = { key: Buffer.from(key), certificate: Buffer.from(certificate), fingerprint: '' }
  let connection: QuicConnection | undefined

  const receiveFrom = (stream: QuicStream) => {
    stream.onReadable = () => {
      let read = 0
      do {
        read = stream.read(chunk)
        if (read > 0 || stream.readEnded) end.onReceived(read, stream.readEnded)
      } while (read > 0 && !stream.readEnded)
      if (stream.readEnded) stream.end()
    }
  }

  const end: End = {
    port: socket.local.port,
    async connect(port) {
      const peer = { address: loopback, port }
      await socket.connect(peer)
      const opened = new QuicConnection({ socket, peer, identity, pin, role })
      connection = opened
      opened.onStream = receiveFrom
      socket.onDatagram = datagram => opened.receive(datagram)
      await opened.ready
    },
    send(bytes) {
      const stream = connection!.open()
      let left = bytes
      stream.onReadable = () => void stream.read(chunk)
      stream.onWritable = () => {
        while (left > 0) {
          const part = left < chunkSize ? chunk.subarray(0, left) : chunk
          const taken = stream.write(part)
          left -= taken
          if (taken < part.length) return
        }
        stream.end()
      }
      stream.onWritable()
    },
    onReceived() {},
  }
  return end
})
