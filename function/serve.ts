import type { QuicConnection } from '../tunnel/quic/connection.ts'
import type { QuicStream } from '../tunnel/quic/stream.ts'
import type { Target } from '../tunnel/session/frames/address.ts'
import { HeaderReader } from '../tunnel/session/frames/reader.ts'
import {
  encodeReply,
  type RefusalReason,
  type Reply,
  type ReplyCode,
  reply,
  unbound,
} from '../tunnel/session/frames/reply.ts'
import { decodeRequest, type Request, requestLength } from '../tunnel/session/frames/request.ts'
import { openPacketChannel } from '../tunnel/session/packet-channel.ts'
import { relay } from '../tunnel/session/relay.ts'
import { associate } from './associate.ts'
import { DialError, dial } from './dial.ts'
import type { Log } from './log.ts'
import { serveMeasure } from './measure.ts'
import { rateLimiter } from './rate-limiter.ts'
import type { Resolver } from './resolve.ts'

export interface ServeOptions {
  resolver: Resolver
  log: Log
}

/** Milliseconds that a stream may take to say where it goes. */
const headerLimitMs = 10_000
/** New connections a second: enough for any browser, not for scanning the internet. */
const dialsPerSecond = 4_000
const maxAssociations = 256

/** Serves the streams of a session, each by its command. Gives the function that takes a stream. */
export function streamServer(
  connection: QuicConnection,
  { resolver, log }: ServeOptions,
): (stream: QuicStream) => void {
  const turn = rateLimiter(dialsPerSecond)
  let associations = 0

  const connect = async (stream: QuicStream, { host, port }: Target) => {
    const started = performance.now()
    let gone = false
    stream.onAborted = () => {
      gone = true
    }
    try {
      await turn()
      if (gone) return
      const { conn, bound } = await dial({ host, port }, { resolver })
      if (gone) return conn.abort()
      log.debug('connected', { target: `${host}:${port}`, ms: Math.round(performance.now() - started) })
      relay(conn, stream)
      // Ahead of what the target says: what the stream does not take yet waits in the relay, and the connection
      // with it. A target that speaks first would be lost on a connection that nobody listens to.
      conn.onData(encodeReply({ code: reply.succeeded, bound }))
    } catch (error) {
      log.debug('dial failed', { target: `${host}:${port}`, error: String(error) })
      if (error instanceof DialError) refuse(stream, error.reply, error.reason)
      else refuse(stream, reply.failure)
    }
  }
  const openAssociation = (stream: QuicStream) => {
    if (associations >= maxAssociations) return refuse(stream, reply.failure, 'no-room')
    associations++
    sendReply(stream, { code: reply.succeeded, bound: unbound }, () => {
      const channel = openPacketChannel(connection, stream)
      associate(channel, { resolver, log })
      const { onClose } = channel
      channel.onClose = () => {
        associations--
        onClose()
      }
    })
  }
  const serve = (stream: QuicStream, request: Request) => {
    if (request.command === 'connect') void connect(stream, request.target)
    else if (request.command === 'associate') openAssociation(stream)
    else sendReply(stream, { code: reply.succeeded, bound: unbound }, () => serveMeasure(request, stream))
  }
  return stream => readRequest(stream, request => serve(stream, request))
}

// --- internal ---

function readRequest(stream: QuicStream, onRequest: (request: Request) => void): void {
  const header = new HeaderReader(stream, requestLength)
  const timer = setTimeout(() => stream.abort(), headerLimitMs)
  stream.onAborted = () => clearTimeout(timer)
  stream.onReadable = () => {
    try {
      const bytes = header.read()
      if (!bytes && !stream.readEnded) return
      clearTimeout(timer)
      stream.onReadable = () => {}
      if (bytes) onRequest(decodeRequest(bytes))
      else stream.abort()
    } catch {
      clearTimeout(timer)
      refuse(stream, reply.failure, 'invalid-target')
    }
  }
}

const refuse = (stream: QuicStream, code: ReplyCode, reason?: RefusalReason) =>
  sendReply(stream, { code, reason, bound: unbound }, () => stream.end())

/** Writes the reply, all of it, then goes on. */
function sendReply(stream: QuicStream, answer: Reply, then: () => void): void {
  const send = (bytes: Uint8Array) => {
    const rest = bytes.subarray(stream.write(bytes))
    if (rest.length === 0) return then()
    stream.onWritable = () => send(rest)
  }
  send(encodeReply(answer))
}
