import type { Socket } from 'bun'
import type { Target } from '../../tunnel/frames/address.ts'
import { type ReplyCode, reply, unbound } from '../../tunnel/frames/reply.ts'
import { relay } from '../../tunnel/relay.ts'
import type { Events } from '../events.ts'
import type { Exits } from '../fleet/exits.ts'
import { UsageError } from '../usage-error.ts'
import { BunWire } from './bun-wire.ts'
import { socksReply, socksServer } from './socks5.ts'
import { tunnelTo } from './tunnel-to.ts'

export interface ProxyOptions {
  host: string
  port: number
  exits: Exits
  events: Events
}

export interface Proxy {
  readonly port: number
  close(): void
}

/** A client that says nothing useful for this long is dropped. Milliseconds. */
const handshakeLimitMs = 15_000
/** A connection waits this long for a session to come up. Milliseconds. */
const sessionLimitMs = 30_000

let connections = 0

/** Listens for SOCKS5 clients. Throws a UsageError when the address or port cannot be had. */
export function listen({ host, port, exits, events }: ProxyOptions): Proxy {
  const open = new Set<BunWire>()
  try {
    const server = Bun.listen<BunWire>({
      hostname: host,
      port,
      allowHalfOpen: true,
      socket: {
        open(socket) {
          socket.setNoDelay(true)
          socket.data = new BunWire(socket)
          open.add(socket.data)
          serve(socket.data, socket, exits, events)
        },
        data: (socket, chunk) => socket.data.onData(chunk),
        drain: socket => socket.data.drained(),
        end: socket => socket.data.ended(),
        close(socket, error) {
          open.delete(socket.data)
          socket.data.closed(error)
        },
        error() {},
      },
    })
    return {
      port: server.port,
      close() {
        server.stop()
        for (const wire of open) wire.abort()
      },
    }
  } catch (error) {
    throw explainListen(error, host, port)
  }
}

// --- internal ---

function serve(wire: BunWire, socket: Socket<BunWire>, exits: Exits, events: Events): void {
  const connection = ++connections
  let gone = false
  const timer = setTimeout(() => wire.abort(), handshakeLimitMs)
  wire.onClose = () => {
    gone = true
    clearTimeout(timer)
  }
  wire.onEnd = () => wire.end()

  const connect = async (target: Target, rest: Uint8Array) => {
    clearTimeout(timer)
    wire.pause()
    const started = performance.now()
    const refuse = (code: ReplyCode) => {
      wire.write(socksReply({ code, bound: unbound }))
      wire.end()
      wire.resume()
      wire.onData = () => {}
    }
    try {
      const session = await exits.pick({ host: target.host }, sessionLimitMs)
      if (gone) return
      const stream = session.connection.open()
      wire.onClose = () => {
        gone = true
        stream.abort()
      }
      const answer = await tunnelTo(stream, target)
      if (gone) return stream.abort()
      if (answer.code !== reply.succeeded) {
        events.emit({
          type: 'connection.refused',
          connection,
          target: `${target.host}:${target.port}`,
          reply: answer.code,
        })
        stream.abort()
        return refuse(answer.code)
      }
      events.emit({
        type: 'connection.opened',
        connection,
        session: session.id,
        target: `${target.host}:${target.port}`,
        ms: performance.now() - started,
      })
      wire.write(socksReply(answer))
      const counts = { fromWire: 0, toWire: 0 }
      relay(wire, stream, {
        counts,
        onEnd: how =>
          events.emit({
            type: 'connection.closed',
            connection,
            session: session.id,
            bytesUp: counts.fromWire,
            bytesDown: counts.toWire,
            ms: performance.now() - started,
            how,
          }),
      })
      if (rest.length > 0) wire.onData(rest)
      wire.resume()
    } catch (error) {
      events.emit({
        type: 'connection.failed',
        connection,
        message: error instanceof Error ? error.message : String(error),
      })
      if (!gone) refuse(reply.failure)
    }
  }

  wire.onData = socksServer({
    write: bytes => void wire.write(bytes),
    connect: (target, rest) => void connect(target, rest),
    fail() {
      clearTimeout(timer)
      wire.end()
    },
  })
  void socket
}

function explainListen(error: unknown, host: string, port: number): Error {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE')
    return new UsageError(
      `port ${port} on ${host} is in use: choose another with --port, or stop what uses it`,
    )
  if (code === 'EACCES')
    return new UsageError(`port ${port} needs administrator's rights: choose one from 1024 up with --port`)
  if (code === 'EADDRNOTAVAIL')
    return new UsageError(`${host} is not an address of this machine: check --host`)
  return new UsageError(
    `cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : String(error)}`,
  )
}
