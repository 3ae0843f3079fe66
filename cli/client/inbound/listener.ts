import { BunConn, connEvents } from '../../../tunnel/net/bun-conn.ts'
import { closeAfterWrite } from '../../../tunnel/net/close-after-write.ts'
import { listenError } from '../../input/listen-error.ts'
import { type Scheme, schemeNames } from '../../input/scheme.ts'
import type { Connect } from '../outbound/connect.ts'
import type { Rule } from '../outbound/rules.ts'
import type { Events, ListenerAddress } from '../stats/events.ts'
import { HttpProblem, problemBytes } from './http/problem.ts'
import { httpServer } from './http/server.ts'
import type { Access } from './logins.ts'
import type { Rejection } from './rejection.ts'
import type { Associate } from './socks5/associate.ts'
import { socksConnect } from './socks5/connect.ts'
import { noAcceptableMethod, socks4Refusal } from './socks5/socks5.ts'

export interface Limits {
  /** Clients of all listeners together; more are told so and sent away. */
  clients: number
  /** A client that has not said within this time where it wants to go is sent away. Milliseconds. */
  handshakeMs: number
}

export interface ListenerOptions {
  scheme: Scheme
  host: string
  port: number
  access: Access
  connect: Connect
  associate: Associate
  rules: readonly Rule[]
  events: Events
  limits: Limits
  /** The clients of all listeners. */
  clients: Set<BunConn>
}

export interface OpenListener extends Readonly<ListenerAddress> {
  close(): void
}

/** Listens for clients. Throws a ListenError when the address or port cannot be had. */
export function openListener(options: ListenerOptions): OpenListener {
  const { scheme, host, port, clients } = options
  const greet = dispatchByProtocol(options)
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
    return { scheme, host, port: server.port, close: () => server.stop() }
  } catch (error) {
    throw listenError(error, 'proxy', { host, port })
  }
}

// --- internal ---

/** How long a client that cannot be served may take for its first byte. Milliseconds. */
const fullMs = 1_000

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

/** Gives the function that finds out what a client speaks, and hands it on. */
function dispatchByProtocol(options: ListenerOptions): (conn: BunConn) => void {
  const { scheme, access, connect, associate, rules, events, limits, clients } = options
  const reject = (protocol: 'socks5' | 'http' | 'unknown') => (rejection: Rejection) =>
    events.emit({ type: 'client.rejected', protocol, ...rejection })
  const serveHttp = httpServer({
    connect,
    access,
    rules,
    headMs: limits.handshakeMs,
    onRejected: reject('http'),
  })

  return conn => {
    // Who comes when there is no room has only to hear that.
    const timer = setTimeout(() => conn.abort(0), clients.size > limits.clients ? fullMs : limits.handshakeMs)
    const settled = () => clearTimeout(timer)
    const detach = conn.attach({
      data(first) {
        const protocol = protocolOf(first[0]!)
        const full = clients.size > limits.clients
        const served = scheme === 'mixed' ? protocol === 'socks5' || protocol === 'http' : protocol === scheme
        if (full || !served) {
          settled()
          const problem = full
            ? new HttpProblem(503, `there are ${limits.clients} clients already`)
            : new HttpProblem(400, `this port speaks ${schemeNames[scheme]} only`)
          reject(protocol === 'http' || protocol === 'socks5' ? protocol : 'unknown')({
            code: full ? 'E_CLIENTS_FULL' : 'E_CLIENT_PROTOCOL',
            message: problem.message,
          })
          detach()
          closeAfterWrite(conn, refusal(protocol, problem))
        } else if (protocol === 'http') {
          settled()
          detach(first)
          serveHttp(conn, { peer: conn.peerAddress, local: conn.localAddress })
        } else {
          detach(first)
          socksConnect(conn, { connect, associate, access, onRejected: reject('socks5'), onSettled: settled })
        }
      },
      end: () => conn.end(),
      drain() {},
      close: settled,
    })
  }
}
