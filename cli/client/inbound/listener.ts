import { BunConn, connEvents } from '../../../tunnel/net/bun-conn.ts'
import { growBacklog } from '../../../tunnel/net/listen-backlog.ts'
import { listenError } from '../../input/listen-error.ts'
import { isLoopback } from '../../input/loopback.ts'
import type { Scheme } from '../../input/scheme.ts'
import type { ListenerAddress } from '../stats/events.ts'
import { Newcomer, type ServeOptions } from './newcomer.ts'
import { WaitingRoom } from './waiting-room.ts'

export interface ListenerOptions extends ServeOptions {
  scheme: Scheme
  host: string
  port: number
}

export interface OpenListener extends Readonly<ListenerAddress> {
  /** New clients may speak this from now on. */
  serve(scheme: Scheme): void
  /** Takes no new clients; those that it has stay. */
  close(): void
}

/** Listens for clients. Throws a ListenError when the address or port cannot be had. */
export function openListener(options: ListenerOptions): OpenListener {
  const { host, port } = options
  let scheme = options.scheme
  const entrance = {
    ...options,
    scheme: () => scheme,
    waiting: new WaitingRoom(options.limits.waiting),
    isPrivate: isLoopback(host),
  }
  try {
    const server = Bun.listen<BunConn>({
      hostname: host,
      port,
      allowHalfOpen: true,
      socket: {
        ...connEvents,
        open(socket) {
          socket.data = new BunConn(socket)
          new Newcomer(socket.data, entrance)
        },
      },
    })
    growBacklog(server)
    return {
      get scheme() {
        return scheme
      },
      host,
      port: server.port,
      serve(next) {
        scheme = next
      },
      close: () => server.stop(),
    }
  } catch (error) {
    throw listenError(error, 'proxy', { host, port })
  }
}
