import { openUdpSocket } from '../../../tunnel/net/udp/open.ts'
import { tunings } from '../../../tunnel/quic/config.ts'
import { QuicConnection } from '../../../tunnel/quic/connection.ts'
import type { QuicStream } from '../../../tunnel/quic/stream.ts'
import { chunkSize, type End, serve } from './end.ts'

// The tunnel's own socket, connection and stream, with nothing before or behind them.

void serve(async ({ role, address, key, certificate, pin, tuning: other }) => {
  const socket = await openUdpSocket({ address })
  const tuning = { ...tunings[role], ...other }
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
    async connect(peer) {
      await socket.connect(peer)
      const opened = new QuicConnection({ socket, peer, identity, pin, role, tuning })
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
    packets: () => connection!.stats(),
    onReceived() {},
  }
  return end
})
