import { closeAfterWrite } from '../tunnel/net/close-after-write.ts'
import { endLimit, startLimit } from '../tunnel/net/time-limit.ts'
import type { QuicConnection } from '../tunnel/quic/connection.ts'
import type { QuicStream } from '../tunnel/quic/stream.ts'
import type { Target } from '../tunnel/session/frames/address.ts'
import { HeaderReader } from '../tunnel/session/frames/reader.ts'
import {
  encodeReply,
  type RefusalReason,
  type ReplyCode,
  reply,
  unbound,
} from '../tunnel/session/frames/reply.ts'
import { decodeRequest, type Request, requestLength } from '../tunnel/session/frames/request.ts'
import { openPacketChannel } from '../tunnel/session/packet-channel.ts'
import { associate } from './associate.ts'
import { type AssociationLimits, AssociationTable, socketLimit } from './association-table.ts'
import { DialError, dial } from './dial.ts'
import { connectByEngine } from './engine-outlet.ts'
import type { Log } from './log.ts'
import { serveMeasure } from './measure.ts'
import { connectByNode } from './node-outlet.ts'
import { rateLimiter } from './rate-limiter.ts'
import type { Resolver } from './resolve.ts'
import type { Room } from './room.ts'
import { readRuntime } from './runtime.ts'

export interface ServeOptions {
  resolver: Resolver
  room: Room
  log: Log
  associations?: Partial<AssociationLimits>
  /** Milliseconds that a stream may take to say where it goes; 10,000 by default. */
  headerLimitMs?: number
  /** New connections a second; 4,000 by default: enough for any browser, not for scanning the internet. */
  dialsPerSecond?: number
}

/** Serves the streams of a session, each by its command. Gives the function that takes a stream. */
export function streamServer(
  connection: QuicConnection,
  { resolver, room, log, associations, headerLimitMs = 10_000, dialsPerSecond = 4_000 }: ServeOptions,
): (stream: QuicStream) => void {
  const turn = rateLimiter(dialsPerSecond)
  const { targets } = connection
  const connectOut = targets ? connectByEngine(targets) : connectByNode
  const table = new AssociationTable({ sockets: socketLimit(readRuntime().descriptors), ...associations })

  const connect = async (stream: QuicStream, { host, port }: Target) => {
    const leave = room.enter(log)
    if (!leave) return refuse(stream, reply.failure, 'no-room')
    const started = performance.now()
    // What the client says meanwhile waits in the stream, which nobody has to own for that.
    try {
      await turn()
      if (stream.aborted) return leave()
      const outlet = await dial({ host, port }, { resolver, connect: connectOut })
      outlet.gone.addEventListener('abort', leave)
      if (outlet.gone.aborted) leave()
      if (stream.aborted) return outlet.abort()
      log.debug('connected', { target: `${host}:${port}`, ms: Math.round(performance.now() - started) })
      stream.write(encodeReply({ code: reply.succeeded, bound: outlet.bound }))
      outlet.join(stream)
    } catch (error) {
      leave()
      log.debug('dial failed', { target: `${host}:${port}`, error: String(error) })
      if (error instanceof DialError) refuse(stream, error.reply, error.reason)
      else refuse(stream, reply.failure)
    }
  }
  const openAssociation = (stream: QuicStream) => {
    if (!table.makeRoom()) {
      log.warn('no room for an association')
      return refuse(stream, reply.failure, 'no-room')
    }
    stream.write(accepted)
    associate(openPacketChannel(connection, stream), { resolver, log, table })
  }
  const serve = (stream: QuicStream, request: Request) => {
    if (request.command === 'connect') return void connect(stream, request.target)
    if (request.command === 'associate') return openAssociation(stream)
    stream.write(accepted)
    serveMeasure(request, stream)
  }
  return stream => readRequest(stream, headerLimitMs, request => serve(stream, request))
}

// --- internal ---

/** Where there is no address to tell. */
const accepted = encodeReply({ code: reply.succeeded, bound: unbound })

function readRequest(stream: QuicStream, limitMs: number, onRequest: (request: Request) => void): void {
  const reader = new HeaderReader(requestLength)
  const limit = startLimit(limitMs, () => stream.abort(0))
  const letGo = (rest?: Uint8Array) => {
    endLimit(limit)
    detach(rest)
  }
  const detach = stream.attach({
    data(chunk) {
      try {
        const read = reader.push(chunk)
        if (!read) return
        const request = decodeRequest(read.header)
        letGo(read.rest)
        onRequest(request)
      } catch {
        letGo()
        refuse(stream, reply.failure, 'invalid-target')
      }
    },
    end: () => stream.abort(0),
    drain() {},
    close: () => letGo(),
  })
}

const refuse = (stream: QuicStream, code: ReplyCode, reason?: RefusalReason) =>
  closeAfterWrite(stream, encodeReply({ code, reason, bound: unbound }))
