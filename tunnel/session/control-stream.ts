import { closeCodes } from '../quic/close-codes.ts'
import type { QuicConnection } from '../quic/connection.ts'
import type { QuicStream } from '../quic/stream.ts'
import { ControlDecoder, type ControlMessage, encodeControl, maxStreams } from './frames/control.ts'

/** The two ends' conversation about the session itself. */
export interface ControlStream {
  send(message: ControlMessage): void
  onMessage: (message: ControlMessage) => void
}

/** Control messages that wait for the connection; a peer that lets more pile up has stopped reading. */
const maxQueueLength = 64 * 1024

/**
 * Makes a control stream of a connection's first stream. Without it the session cannot go on: whatever is
 * malformed on it, and its end, close the connection. It asks and answers about overdue streams by itself.
 */
export function controlStream(connection: QuicConnection, stream: QuicStream): ControlStream {
  const decoder = new ControlDecoder()
  const buffer = new Uint8Array(4096)
  let pending: Buffer = Buffer.alloc(0)

  const broken = () => {
    stream.abort()
    connection.close(closeCodes.controlBroken)
  }
  const flush = () => {
    if (pending.length > 0) pending = pending.subarray(stream.write(pending))
  }
  const control: ControlStream = {
    onMessage() {},
    send(message) {
      pending = Buffer.concat([pending, encodeControl(message)])
      if (pending.length > maxQueueLength) broken()
      else flush()
    },
  }
  const take = (message: ControlMessage) => {
    if (message.type === 'overdue') {
      const { ended, aborted } = connection.statusOf(message.streams)
      if (ended.length + aborted.length > 0) control.send({ type: 'over', ended, aborted })
    } else if (message.type === 'over') connection.settle(message)
    else control.onMessage(message)
  }
  connection.onOverdue = streams => {
    for (let i = 0; i < streams.length; i += maxStreams)
      control.send({ type: 'overdue', streams: streams.slice(i, i + maxStreams) })
  }
  stream.onWritable = flush
  stream.onReadable = () => {
    try {
      for (let read = stream.read(buffer); read > 0; read = stream.read(buffer))
        for (const message of decoder.push(buffer.subarray(0, read))) take(message)
    } catch {
      return broken()
    }
    if (stream.readEnded) broken()
  }
  return control
}
