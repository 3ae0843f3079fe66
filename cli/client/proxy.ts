import type { BunConn } from '../../tunnel/net/bun-conn.ts'
import { formatEndpoint } from '../../tunnel/net/endpoint.ts'
import { isLoopback } from '../input/loopback.ts'
import type { Scheme } from '../input/scheme.ts'
import { throwTogether } from '../input/together.ts'
import { UsageError } from '../input/usage-error.ts'
import { LoginTable } from './accounts/access.ts'
import type { Login } from './accounts/login.ts'
import { Verifier } from './accounts/verifier.ts'
import type { Exits } from './fleet/exits.ts'
import { Guesses } from './inbound/guesses.ts'
import { silenceLimits } from './inbound/http/forward.ts'
import { type Limits, type OpenListener, openListener } from './inbound/listener.ts'
import { Places } from './inbound/places.ts'
import { associator } from './inbound/socks5/associate.ts'
import { waitingLimits } from './inbound/waiting-room.ts'
import { banOn } from './outbound/ban-on.ts'
import { block } from './outbound/block.ts'
import { connector } from './outbound/connect.ts'
import { direct } from './outbound/direct.ts'
import type { Gate } from './outbound/outbound.ts'
import type { Rule } from './outbound/rules.ts'
import { tunnelOutbound } from './outbound/tunnel.ts'
import type { Events } from './stats/events.ts'

/** A listener that anybody could use. */
export class OpenProxyError extends UsageError<'E_OPEN_PROXY'> {
  override readonly name = 'OpenProxyError'

  constructor({ host, port }: { host: string; port: number }) {
    const at = formatEndpoint({ address: host, port })
    super(`${at} can be reached from other machines, and needs no login`, { code: 'E_OPEN_PROXY' })
  }
}

/** Where applications connect to. */
export interface Listener {
  scheme: Scheme
  /** Address to listen on. */
  host: string
  /** 0: any that is free. */
  port: number
  /** Who may use it; the proxy's own logins where none are given. */
  logins?: readonly Login[] | undefined
}

export interface ProxyOptions {
  listeners: readonly Listener[]
  exits: Exits
  events: Events
  /** Who may use the listeners; without any, everybody who can reach them. */
  logins?: readonly Login[] | undefined
  /** Lets others than this machine use a listener without a login. */
  allowOpen?: boolean | undefined
  /** The first that covers a target says its outbound. */
  rules?: readonly Rule[] | undefined
  /** An exit that an HTTP server answers with one of these codes is used no more for the server's site. */
  rotateOn?: readonly number[] | undefined
  limits?: Partial<Limits> | undefined
  /** May keep connections from being made. */
  gate?: Gate | undefined
}

export interface Proxy {
  /** As they are open, in the order given. */
  readonly listeners: readonly OpenListener[]
  /** Takes no new clients, gives those that are there a moment to finish, and cuts them off. */
  close(): Promise<void>
}

/** What is open when the proxy ends may go on for this long: a page finishes loading, a download does not. Milliseconds. */
const graceMs = 500
const defaultLimits: Limits = {
  clients: 4_096,
  associations: 2_048,
  associationIdleMs: 10_000,
  handshakeMs: 15_000,
  waiting: waitingLimits,
  silence: silenceLimits,
}

/**
 * Starts what applications connect to. Throws a UsageError when a listener cannot be had, or would serve
 * anybody without a login, and an AggregateError of several; nothing is left open then.
 */
export function startProxy(options: ProxyOptions): Proxy {
  const { exits, events, logins = [], allowOpen = false, rules = [], gate } = options
  const clients = new Set<BunConn>()
  const listeners: OpenListener[] = []
  const close = async () => {
    for (const listener of listeners) listener.close()
    const last = performance.now() + graceMs
    while (clients.size > 0 && performance.now() < last) await Bun.sleep(20)
    for (const client of clients) client.abort(0)
  }
  const limits = { ...defaultLimits, ...options.limits }
  const shared = {
    connect: connector({
      outbounds: { tunnel: tunnelOutbound(exits), direct, block },
      rules,
      events,
      onAnswer: banOn(() => options.rotateOn ?? [], exits, events),
      gate,
    }),
    associate: associator({
      exits,
      rules,
      events,
      gate,
      max: limits.associations,
      idleMs: limits.associationIdleMs,
    }),
    rules,
    events,
    limits,
    clients,
    places: new Places(limits.clients),
    guesses: new Guesses(),
  }
  const verifier = new Verifier()
  const errors: unknown[] = []
  for (const { logins: own, ...listener } of options.listeners) {
    try {
      const access = new LoginTable(own ?? logins, verifier)
      if (!access.required && !allowOpen && !isLoopback(listener.host)) throw new OpenProxyError(listener)
      listeners.push(openListener({ ...shared, ...listener, access }))
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) {
    void close()
    throwTogether(errors)
  }
  return { listeners, close }
}
