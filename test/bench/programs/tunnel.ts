import { QuicConnection } from '../../../tunnel/quic/connection.ts'
import { loadEngine } from '../../../tunnel/quic/engines/engines.ts'
import type { QuicStream } from '../../../tunnel/quic/stream.ts'
import { tunings } from '../../../tunnel/quic/tuning.ts'
import { chunkSize, type End, serve } from './end.ts'

// The tunnel's own socket, connection and stream, with nothing before or behind them.

void serve(async ({ role, address, key, certificate, pin, tuning: other }) => {
  const engine = await loadEngine()
  const socket = await engine.openSocket({ address })
  // Here the exit opens the streams, too.
  const tuning = { ...tunings[role], maxStreams: tunings.client.maxStreams, ...other }
  const chunk = new Uint8Array(chunkSize)
  const identity = { key: Buffer.from(key), certificate: Buffer.from(certificate), fingerprint: '' }
  let connection: QuicConnection | undefined

  const receiveFrom = (stream: QuicStream) => {
    stream.attach({
      data: bytes => end.onReceived(bytes.length, false),
      end() {
        end.onReceived(0, true)
        stream.end()
      },
      drain() {},
      close() {},
    })
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
      const go = () => {
        while (left > 0 && !stream.full) {
          const part = left < chunkSize ? chunk.subarray(0, left) : chunk
          left -= part.length
          stream.write(part)
        }
        if (left === 0) stream.end()
      }
      stream.attach({ data() {}, end() {}, drain: go, close() {} })
      go()
    },
    packets: () => connection!.stats(),
    onReceived() {},
  }
  return end
})
