import { closeCodes } from '../quic/close-codes.ts'
import type { QuicConnection } from '../quic/connection.ts'
import type { QuicStream } from '../quic/stream.ts'
import {
  ControlDecoder,
  type ControlMessage,
  encodeControl,
  maxBreaks,
  maxStreams,
} from './frames/control.ts'

/** The two ends' conversation about the session itself. */
export interface ControlStream {
  send(message: ControlMessage): void
  onMessage: (message: ControlMessage) => void
}

/** Control messages that wait for the connection; a peer that lets more pile up has stopped reading. Bytes. */
const maxQueueLength = 64 * 1024

/**
 * Makes a control stream of a connection's first stream. Without it the session cannot go on: whatever is
 * malformed on it, and its end, close the connection. It asks and answers about overdue streams, and tells of broken
 * ones, by itself.
 */
export function controlStream(connection: QuicConnection, stream: QuicStream): ControlStream {
  const decoder = new ControlDecoder()
  let pending: Buffer = Buffer.alloc(0)
  let breaks: { stream: number; at: number }[] = []
  let over: number[] = []

  const broken = () => {
    stream.abort(0)
    connection.close(closeCodes.controlBroken)
  }
  const flush = () => {
    if (stream.full || pending.length === 0) return
    stream.write(pending)
    pending = Buffer.alloc(0)
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
    else if (message.type === 'broken')
      for (const { stream, at } of message.breaks) connection.breakAt(stream, at)
    else control.onMessage(message)
  }
  connection.onOverdue = streams => {
    for (let i = 0; i < streams.length; i += maxStreams)
      control.send({ type: 'overdue', streams: streams.slice(i, i + maxStreams) })
  }
  const tellOfStreams = () => {
    for (let i = 0; i < breaks.length; i += maxBreaks)
      control.send({ type: 'broken', breaks: breaks.slice(i, i + maxBreaks) })
    for (let i = 0; i < over.length; i += maxStreams)
      control.send({ type: 'over', ended: [], aborted: over.slice(i, i + maxStreams) })
    breaks = []
    over = []
  }
  /** Collects what is to be told of the streams that break in one turn. However many do, the session goes on. */
  const mayTell = () => {
    const waiting = breaks.length + over.length
    if (pending.length + waiting * maxToldLength > maxQueueLength / 2) return false
    if (waiting === 0) setImmediate(tellOfStreams)
    return true
  }
  connection.onBreak = (stream, at) => mayTell() && breaks.push({ stream, at }) > 0
  connection.onOver = stream => void (mayTell() && over.push(stream))
  stream.attach({
    data(chunk) {
      try {
        for (const message of decoder.push(chunk)) take(message)
      } catch {
        broken()
      }
    },
    end: broken,
    drain: flush,
    close: broken,
  })
  return control
}

// --- internal ---

/** What it takes at most to tell of one stream. Bytes. */
const maxToldLength = 40
