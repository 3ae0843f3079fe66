import type { Target } from '../../../tunnel/session/frames/address.ts'
import { reply } from '../../../tunnel/session/frames/reply.ts'
import type { Wire } from '../../../tunnel/session/relay.ts'
import type { Events } from '../stats/events.ts'
import { nextConnection, openAccount } from './connection-tracker.ts'
import { type Asker, type Road, RoadError } from './outbound.ts'
import { type RoadName, type Rule, roadFor } from './rules.ts'

/** A connection to a target, whichever road it took; `carry` must follow at once. */
export interface Connected {
  readonly bound: Target
  /** Joins the asker's wire to the target until both have ended. */
  carry(wire: Wire): void
}

/** Takes the road that the rules say, and tells the events. Rejects with a RoadError, or the signal's reason. */
export type Connect = (target: Target, asker: Asker) => Promise<Connected>

export interface ConnectOptions {
  roads: Record<RoadName, Road>
  rules: readonly Rule[]
  events: Events
}

/** What every protocol calls, once it knows where its client wants to go. */
export function connector({ roads, rules, events }: ConnectOptions): Connect {
  return async (target, asker) => {
    const connection = nextConnection()
    const started = performance.now()
    const text = `${target.host}:${target.port}`
    try {
      if (!isHost(target.host)) throw new RoadError('refused', reply.failure, 'that is no name of a host')
      const road = roadFor(rules, target)
      const passage = await roads[road](target, asker)
      asker.signal.throwIfAborted()
      const { session } = passage
      const account = openAccount(events, { connection, road, session, target: text, started })
      return { bound: passage.bound, carry: wire => passage.carry(wire, account) }
    } catch (error) {
      if (error instanceof RoadError && error.kind === 'refused')
        events.emit({ type: 'connection.refused', connection, target: text, reply: error.reply })
      else if (!asker.signal.aborted)
        events.emit({ type: 'connection.failed', connection, target: text, message: messageOf(error) })
      throw error
    }
  }
}

// --- internal ---

/** No name has spaces or control characters, and SOCKS has one byte for its length (RFC 1928, section 5). */
const isHost = (host: string) => Buffer.byteLength(host) <= 255 && /^[^\s\p{Cc}]+$/u.test(host)

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
