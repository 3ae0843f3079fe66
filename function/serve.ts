import { HeaderReader } from '../tunnel/frames/reader.ts'
import { encodeReply, type ReplyCode, reply, unbound } from '../tunnel/frames/reply.ts'
import { decodeRequest, requestLength } from '../tunnel/frames/request.ts'
import type { QuicStream } from '../tunnel/quic/stream.ts'
import { relay } from '../tunnel/relay.ts'
import { DialError, dial } from './dial.ts'
import type { Log } from './log.ts'

export interface ServeOptions {
  allowPrivate: boolean
  log: Log
}

/** Milliseconds that a stream may take to say where it goes. */
const headerLimitMs = 10_000

/** Serves one stream: reads where it goes, dials, replies, relays. */
export function serveStream(stream: QuicStream, { allowPrivate, log }: ServeOptions): void {
  const header = new HeaderReader(stream, requestLength)
  const timer = setTimeout(() => stream.abort(), headerLimitMs)
  stream.onAborted = () => clearTimeout(timer)
  stream.onReadable = () => {
    try {
      const bytes = header.read()
      if (!bytes && !stream.readEnded) return
      clearTimeout(timer)
      stream.onReadable = () => {}
      if (!bytes) return stream.abort()
      const { target } = decodeRequest(bytes)
      void connect(target.host, target.port)
    } catch {
      clearTimeout(timer)
      refuse(reply.failure)
    }
  }

  const connect = async (host: string, port: number) => {
    const started = performance.now()
    let gone = false
    stream.onAborted = () => {
      gone = true
    }
    try {
      const { wire, bound } = await dial({ host, port }, { allowPrivate })
      const ms = Math.round(performance.now() - started)
      if (gone) return wire.abort()
      log.debug('connected', { target: `${host}:${port}`, ms })
      send(encodeReply({ code: reply.succeeded, bound }), () => relay(wire, stream))
    } catch (error) {
      log.debug('dial failed', { target: `${host}:${port}`, error: String(error) })
      refuse(error instanceof DialError ? error.reply : reply.failure)
    }
  }

  const refuse = (code: ReplyCode) => send(encodeReply({ code, bound: unbound }), () => stream.end())

  /** Writes all of it, then goes on. */
  const send = (bytes: Uint8Array, then: () => void) => {
    const rest = bytes.subarray(stream.write(bytes))
    if (rest.length === 0) return then()
    stream.onWritable = () => send(rest, then)
  }
}
