import { BunConn, connEvents } from '../../../tunnel/net/bun-conn.ts'
import { growBacklog } from '../../../tunnel/net/listen-backlog.ts'
import { listenError } from '../../input/listen-error.ts'
import { isLoopback } from '../../input/loopback.ts'
import type { Scheme } from '../../input/scheme.ts'
import type { Access } from '../accounts/access.ts'
import type { Connect } from '../outbound/connect.ts'
import type { Rule } from '../outbound/rules.ts'
import type { Events, ListenerAddress } from '../stats/events.ts'
import type { Guesses } from './guesses.ts'
import type { SilenceLimits } from './http/forward.ts'
import { Newcomer } from './newcomer.ts'
import type { Places } from './places.ts'
import type { Associate } from './socks5/associate.ts'
import { type WaitingLimits, WaitingRoom } from './waiting-room.ts'

export interface Limits {
  /** Admitted clients of all listeners together; more are told so and rejected. */
  clients: number
  /** UDP associations of all listeners together. */
  associations: number
  /** An association over which nothing went for this long gives way to a new one. Milliseconds. */
  associationIdleMs: number
  /** A client that has not said within this time where it wants to go is rejected. Milliseconds. */
  handshakeMs: number
  /** Connections that have not been admitted, of each listener. */
  waiting: WaitingLimits
  /** An exchange of HTTP over which nothing goes. */
  silence: SilenceLimits
}

export interface ListenerOptions {
  scheme: Scheme
  host: string
  port: number
  access: Access
  connect: Connect
  associate: Associate
  rules: () => readonly Rule[]
  events: Events
  limits: Limits
  /** The connections of all listeners. */
  clients: Set<BunConn>
  /** Those of the clients that have been admitted, whichever listener took them. */
  places: Places
  /** The wrong passwords of all listeners. */
  guesses: Guesses
}

export interface OpenListener extends Readonly<ListenerAddress> {
  /** New clients may speak this from now on. */
  serve(scheme: Scheme): void
  /** Takes no new clients; those that it has stay. */
  close(): void
}

/** Listens for clients. Throws a ListenError when the address or port cannot be had. */
export function openListener(options: ListenerOptions): OpenListener {
  const { host, port, clients } = options
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
          clients.add(socket.data)
          new Newcomer(socket.data, entrance)
        },
        close(socket, error) {
          clients.delete(socket.data)
          connEvents.close(socket, error)
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
