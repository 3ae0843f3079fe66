import { BunConn, connEvents } from '../../../tunnel/net/bun-conn.ts'
import { closeAfterWrite } from '../../../tunnel/net/close-after-write.ts'
import { growBacklog } from '../../../tunnel/net/listen-backlog.ts'
import { endLimit, startLimit } from '../../../tunnel/net/time-limit.ts'
import { listenError } from '../../input/listen-error.ts'
import { isLoopback } from '../../input/loopback.ts'
import type { Scheme } from '../../input/scheme.ts'
import type { Access } from '../accounts/access.ts'
import type { Connect } from '../outbound/connect.ts'
import type { Rule } from '../outbound/rules.ts'
import type { Events, ListenerAddress } from '../stats/events.ts'
import type { Attempt, Guesses } from './guesses.ts'
import type { SilenceLimits } from './http/forward.ts'
import { HttpProblem, problemBytes } from './http/problem.ts'
import { httpServer } from './http/server.ts'
import type { Places } from './places.ts'
import { mustGiveWay, noPlace, notServed, type Rejection, throttled, withHint } from './rejection.ts'
import type { Associate } from './socks5/associate.ts'
import { socksConnect } from './socks5/connect.ts'
import { noAcceptableMethod, socks4Refusal } from './socks5/socks5.ts'
import { here, sourceOf } from './source.ts'
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
  const greet = dispatchByProtocol(options, () => scheme)
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
          greet(socket.data)
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

// --- internal ---

type Protocol = 'socks5' | 'socks4' | 'http' | 'unknown'

const isLetter = (byte: number) => (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)

/**
 * In all these protocols the client speaks first, and the first byte says which it is: SOCKS's version,
 * or the first letter of an HTTP method. (An empty line before a request, which RFC 9112, section 2.2
 * allows for, is no first byte of anything else.)
 */
const protocolOf = (first: number): Protocol =>
  first === 5 ? 'socks5' : first === 4 ? 'socks4' : isLetter(first) || first === 0x0d ? 'http' : 'unknown'

/** What a client is told that cannot be served, in its own protocol. */
function refusal(protocol: Protocol, problem: HttpProblem): Uint8Array | undefined {
  if (protocol === 'socks5') return noAcceptableMethod
  if (protocol === 'socks4') return socks4Refusal
  return protocol === 'http' ? problemBytes(problem) : undefined
}

type RejectedAs = 'socks5' | 'http' | 'unknown'

/** Gives the function that finds out what a client speaks, and hands it on. */
function dispatchByProtocol(options: ListenerOptions, scheme: () => Scheme): (conn: BunConn) => void {
  const { access, connect, associate, rules, events, limits, places, guesses } = options
  const waiting = new WaitingRoom(limits.waiting)
  const isPrivate = isLoopback(options.host)
  const reject = (protocol: RejectedAs) => (rejection: Rejection) =>
    events.emit({ type: 'client.rejected', protocol, ...withHint(rejection) })
  const isServed = (protocol: Protocol) =>
    scheme() === 'mixed' ? protocol === 'socks5' || protocol === 'http' : protocol === scheme()

  return conn => {
    const source = isPrivate ? here : sourceOf(conn.peerAddress, () => conn.localAddress)
    const leave = waiting.enter(source, () => {
      reject('unknown')(mustGiveWay(source))
      conn.abort(0)
    })
    const limit = startLimit(limits.handshakeMs, () => conn.abort(0))
    const settled = () => endLimit(limit)
    let attempt: Attempt | undefined
    let giveBack: (() => void) | undefined
    const onAdmitted = () => {
      leave()
      giveBack ??= places.take(source)
    }
    conn.gone.addEventListener('abort', () => {
      settled()
      leave()
      giveBack?.()
      attempt?.end()
    })

    const serve = (protocol: Protocol, guarded: Access) => {
      if (conn.gone.aborted) return
      if (protocol === 'http') {
        settled()
        const { handshakeMs: headMs, silence } = limits
        const onRejected = reject('http')
        const addresses = { peer: conn.peerAddress, local: conn.localAddress }
        httpServer({ connect, access: guarded, rules, headMs, silence, onRejected, onAdmitted })(
          conn,
          addresses,
        )
      } else {
        const onRejected = reject('socks5')
        socksConnect(conn, {
          connect,
          associate,
          access: guarded,
          onRejected,
          onAdmitted,
          onSettled: settled,
        })
      }
    }
    const refuse = (protocol: Protocol, status: number, rejection: Rejection) => {
      settled()
      reject(protocol === 'socks4' ? 'unknown' : protocol)(rejection)
      const { message, hint } = rejection
      const problem = new HttpProblem(status, hint === undefined ? message : `${message}. ${hint}`)
      closeAfterWrite(conn, refusal(protocol, problem))
    }
    const detach = conn.attach({
      data(first) {
        const protocol = protocolOf(first[0]!)
        const full = places.full(source)
        if (!isServed(protocol)) {
          detach()
          refuse(protocol, 400, notServed(scheme()))
        } else if (full) {
          detach()
          refuse(protocol, 503, noPlace(full, places, source))
        } else {
          attempt = access.required ? guesses.attempt(source.name) : undefined
          if (access.required && !attempt) {
            detach()
            return refuse(protocol, 429, throttled(source))
          }
          // What it says waits in the connection.
          detach(first)
          const guarded = attempt?.guard(access) ?? access
          if (attempt && attempt.waitMs > 0) setTimeout(() => serve(protocol, guarded), attempt.waitMs)
          else serve(protocol, guarded)
        }
      },
      end: () => conn.end(),
      drain() {},
      close() {},
    })
  }
}
