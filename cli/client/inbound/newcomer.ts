import type { BunConn } from '../../../tunnel/net/bun-conn.ts'
import { closeAfterWrite } from '../../../tunnel/net/close-after-write.ts'
import type { ConnHandlers, Detach } from '../../../tunnel/net/conn.ts'
import type { Roster } from '../../../tunnel/net/roster.ts'
import { endLimit, startLimit, type TimeLimit } from '../../../tunnel/net/time-limit.ts'
import type { Scheme } from '../../input/scheme.ts'
import type { Access } from '../accounts/access.ts'
import type { Connect } from '../outbound/connect.ts'
import type { Rule } from '../outbound/rules.ts'
import type { Events } from '../stats/events.ts'
import type { Attempt, Guesses } from './guesses.ts'
import type { SilenceLimits } from './http/forward.ts'
import { HttpProblem, problemBytes } from './http/problem.ts'
import { httpServer } from './http/server.ts'
import type { Places } from './places.ts'
import { mustGiveWay, noPlace, notServed, type Rejection, throttled, withHint } from './rejection.ts'
import type { Associate } from './socks5/associate.ts'
import { type SocksCaller, SocksConnection } from './socks5/connect.ts'
import { noAcceptableMethod, socks4Refusal } from './socks5/socks5.ts'
import { here, type Source, sourceOf } from './source.ts'
import type { Waiting, WaitingLimits, WaitingRoom } from './waiting-room.ts'

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

/** What clients are served with. */
export interface ServeOptions {
  access: Access
  connect: Connect
  associate: Associate
  rules: () => readonly Rule[]
  events: Events
  limits: Limits
  /** The connections of all listeners. */
  clients: Roster<BunConn>
  /** Those of the clients that have been admitted, whichever listener took them. */
  places: Places
  /** The wrong passwords of all listeners. */
  guesses: Guesses
}

/** What all newcomers of a listener have in common. */
export interface Entrance extends ServeOptions {
  /** What new clients may speak now. */
  scheme(): Scheme
  waiting: WaitingRoom
  /** Nobody but this machine can reach the listener. */
  isPrivate: boolean
}

/** A connection that has come in: finds out what it speaks, hands it on, and follows it until it has been admitted. */
export class Newcomer implements ConnHandlers, SocksCaller {
  readonly #conn: BunConn
  readonly #entrance: Entrance
  readonly #source: Source
  readonly #limit: TimeLimit
  readonly #waiting: Waiting
  readonly #detach: Detach
  #attempt: Attempt | undefined
  #giveBack: (() => void) | undefined

  constructor(conn: BunConn, entrance: Entrance) {
    const { clients, waiting, limits, isPrivate } = entrance
    const entry = clients.enter(conn)
    this.#conn = conn
    this.#entrance = entrance
    this.#source = isPrivate ? here : sourceOfConn(conn)
    this.#waiting = waiting.enter(this.#source, () => {
      this.#reject('unknown', mustGiveWay(this.#source))
      conn.abort(0)
    })
    this.#limit = startLimit(limits.handshakeMs, () => conn.abort(0))
    conn.gone.addEventListener('abort', () => {
      entry.leave()
      this.#gone()
    })
    this.#detach = conn.attach(this)
  }

  // --- what its connection tells ---

  data(first: Uint8Array): void {
    const { access, places, guesses, scheme } = this.#entrance
    const protocol = protocolOf(first[0]!)
    const full = places.full(this.#source)
    if (!this.#isServed(protocol)) return void this.#refuse(protocol, 400, notServed(scheme()))
    if (full) return void this.#refuse(protocol, 503, noPlace(full, places, this.#source))
    if (access.required) {
      this.#attempt = guesses.attempt(this.#source.name)
      if (!this.#attempt) return void this.#refuse(protocol, 429, throttled(this.#source))
    }
    // What it says waits in the connection.
    this.#detach(first)
    const guarded = this.#attempt?.guard(access) ?? access
    this.#serveAfter(this.#attempt?.waitMs ?? 0, protocol, guarded)
  }

  end(): void {
    this.#conn.end()
  }

  drain(): void {}

  close(): void {}

  // --- what its SOCKS5 side tells ---

  settled(): void {
    endLimit(this.#limit)
  }

  admitted(): void {
    this.#entrance.waiting.leave(this.#waiting)
    this.#giveBack ??= this.#entrance.places.take(this.#source)
  }

  rejected(rejection: Rejection): void {
    this.#reject('socks5', rejection)
  }

  // --- internal ---

  #gone(): void {
    this.settled()
    this.#entrance.waiting.leave(this.#waiting)
    this.#giveBack?.()
    this.#attempt?.end()
  }

  #isServed(protocol: Protocol): boolean {
    const scheme = this.#entrance.scheme()
    return scheme === 'mixed' ? protocol === 'socks5' || protocol === 'http' : protocol === scheme
  }

  #serveAfter(waitMs: number, protocol: Protocol, access: Access): void {
    if (waitMs > 0) setTimeout(() => this.#serve(protocol, access), waitMs)
    else this.#serve(protocol, access)
  }

  #serve(protocol: Protocol, access: Access): void {
    const conn = this.#conn
    if (conn.gone.aborted) return
    const { connect, associate, rules, limits } = this.#entrance
    if (protocol !== 'http') return void new SocksConnection(conn, { connect, associate, access }, this)
    this.settled()
    httpServer({
      connect,
      access,
      rules,
      headMs: limits.handshakeMs,
      silence: limits.silence,
      onRejected: rejection => this.#reject('http', rejection),
      onAdmitted: () => this.admitted(),
    })(conn, { peer: conn.peerAddress, local: conn.localAddress })
  }

  #refuse(protocol: Protocol, status: number, rejection: Rejection): void {
    this.#detach()
    this.settled()
    this.#reject(protocol === 'socks4' ? 'unknown' : protocol, rejection)
    const { message, hint } = rejection
    const problem = new HttpProblem(status, hint === undefined ? message : `${message}. ${hint}`)
    closeAfterWrite(this.#conn, refusal(protocol, problem))
  }

  #reject(protocol: 'socks5' | 'http' | 'unknown', rejection: Rejection): void {
    this.#entrance.events.emit({ type: 'client.rejected', protocol, ...withHint(rejection) })
  }
}

// --- internal ---

type Protocol = 'socks5' | 'socks4' | 'http' | 'unknown'

const sourceOfConn = (conn: BunConn) => sourceOf(conn.peerAddress, () => conn.localAddress)

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
