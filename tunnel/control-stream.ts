import { ControlDecoder, type ControlMessage, encodeControl } from './frames/control.ts'
import type { QuicStream } from './quic/stream.ts'

/** The two ends' conversation about the session itself. */
export interface ControlStream {
  send(message: ControlMessage): void
  onMessage: (message: ControlMessage) => void
}

/** Control messages that wait for the connection; a peer that lets more pile up has stopped reading. */
const longestQueue = 64 * 1024

/** Makes a control stream of a QUIC stream; whatever is malformed on it aborts the stream and calls `onBroken`. */
export function controlStream(stream: QuicStream, onBroken: () => void): ControlStream {
  const decoder = new ControlDecoder()
  const buffer = new Uint8Array(4096)
  let pending: Buffer = Buffer.alloc(0)

  const broken = () => {
    stream.abort()
    onBroken()
  }
  const flush = () => {
    if (pending.length > 0) pending = pending.subarray(stream.write(pending))
  }
  const control: ControlStream = {
    onMessage() {},
    send(message) {
      pending = Buffer.concat([pending, encodeControl(message)])
      if (pending.length > longestQueue) broken()
      else flush()
    },
  }
  stream.onWritable = flush
  stream.onReadable = () => {
    try {
      for (let read = stream.read(buffer); read > 0; read = stream.read(buffer))
        for (const message of decoder.push(buffer.subarray(0, read))) control.onMessage(message)
    } catch {
      return broken()
    }
    if (stream.readEnded) broken()
  }
  return control
}
