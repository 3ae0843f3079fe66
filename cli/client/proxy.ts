import type { BunConn } from '../../tunnel/net/bun-conn.ts'
import { Roster } from '../../tunnel/net/roster.ts'
import { Accounts } from './accounts/accounts.ts'
import type { Exits } from './fleet/exits.ts'
import { Guesses } from './inbound/guesses.ts'
import { silenceLimits } from './inbound/http/forward.ts'
import type { OpenListener } from './inbound/listener.ts'
import { createListeners, type ListenersSettings } from './inbound/listeners.ts'
import type { Limits } from './inbound/newcomer.ts'
import { Places } from './inbound/places.ts'
import { associator } from './inbound/socks5/associate.ts'
import { waitingLimits } from './inbound/waiting-room.ts'
import { banOn } from './outbound/ban-on.ts'
import { block } from './outbound/block.ts'
import { connector } from './outbound/connect.ts'
import { direct } from './outbound/direct.ts'
import { metered } from './outbound/metered.ts'
import type { Gate } from './outbound/outbound.ts'
import type { Rule } from './outbound/rules.ts'
import { tunnelOutbound } from './outbound/tunnel.ts'
import type { Events } from './stats/events.ts'

export interface ProxyOptions extends ListenersSettings {
  exits: Exits
  events: Events
  /** The first that covers a target says its outbound. */
  rules?: readonly Rule[] | undefined
  /** An exit that an HTTP server answers with one of these codes is no longer used for the server's site. */
  rotateOn?: readonly number[] | undefined
  /** Applications are told that they are connected before the exit has reached the target. */
  optimistic?: boolean | undefined
  limits?: Partial<Limits> | undefined
  /** What the logins may use; kept for this proxy alone where nothing is said. */
  accounts?: Accounts | undefined
  /** May keep connections from being made. */
  gate?: Gate | undefined
}

/** What can be changed while the proxy runs. */
export type ProxySettings = Pick<
  ProxyOptions,
  'listeners' | 'logins' | 'allowOpen' | 'rules' | 'rotateOn' | 'optimistic'
>

export interface Proxy {
  /** As they are open, in the order given. */
  readonly listeners: readonly OpenListener[]
  /**
   * Goes by these settings from now on; what is open stays. Throws as `startProxy` does, and then nothing has changed.
   */
  update(settings: ProxySettings): void
  /** Accepts no new clients, gives the connected ones a moment to finish, and then closes them. */
  close(): Promise<void>
}

/** Open connections get this long when the proxy ends: enough for a page, not for a download. Milliseconds. */
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
  const { exits, events, gate } = options
  let settings: ProxySettings = options
  const accounts = options.accounts ?? new Accounts({ events })
  const clients = new Roster<BunConn>()
  const limits = { ...defaultLimits, ...options.limits }
  const rules = () => settings.rules ?? []
  const listeners = createListeners({
    connect: connector({
      outbounds: {
        tunnel: metered(
          tunnelOutbound(exits, () => settings.optimistic ?? false),
          accounts,
        ),
        direct: metered(direct, accounts),
        block,
      },
      rules,
      events,
      onAnswer: banOn(() => settings.rotateOn ?? [], exits, events),
      gate,
    }),
    associate: associator({
      exits,
      rules,
      events,
      gate,
      accounts,
      max: limits.associations,
      idleMs: limits.associationIdleMs,
    }),
    rules,
    events,
    limits,
    clients,
    places: new Places(limits.clients),
    guesses: new Guesses(),
  })
  listeners.update(settings)
  return {
    get listeners() {
      return listeners.open
    },
    update(next) {
      listeners.update(next)
      settings = next
    },
    async close() {
      listeners.close()
      const last = performance.now() + graceMs
      while (clients.size > 0 && performance.now() < last) await Bun.sleep(20)
      for (const client of clients.list()) client.abort(0)
    },
  }
}
