import { QuicConnection } from '../../../tunnel/quic/connection.ts'
import { loadEngine } from '../../../tunnel/quic/engines/engines.ts'
import type { QuicStream } from '../../../tunnel/quic/stream.ts'
import { tunings } from '../../../tunnel/quic/tuning.ts'
import { chunkSize, type End, serve } from './end.ts'

// The tunnel's own socket, connection and stream, with nothing before or behind them.

void serve(async ({ role, address, key, certificate, pin, tuning: other }) => {
  const engine = await loadEngine()
  const socket = await engine.openSocket({ address })
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
      connection = await QuicConnection.connect({ engine, socket, peer, identity, pin, role, tuning })
      connection.onStream = receiveFrom
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
