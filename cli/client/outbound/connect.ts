import type { Conn } from '../../../tunnel/net/conn.ts'
import type { Target } from '../../../tunnel/session/frames/address.ts'
import { relay } from '../../../tunnel/session/relay.ts'
import type { RelayCounts, RelayEnd } from '../../../tunnel/session/relay-report.ts'
import type { Events, OutboundName } from '../stats/events.ts'
import type { Answer } from './ban-on.ts'
import {
  type ConnectionTracker,
  nextConnection,
  tellNotMade,
  trackConnection,
  trackEarly,
} from './connection-tracker.ts'
import { type Gate, isRefusal, type Outbound, type OutboundConn, type Requester } from './outbound.ts'
import { outboundFor, type Rule } from './rules.ts'
import { TargetError } from './target-errors.ts'
import { TrackedConn } from './tracked-conn.ts'

/** A connection to a target, whichever outbound it took. */
export interface Connected {
  readonly bound: Target
  /** The exit's session, where it goes through one. */
  readonly session: string | undefined
  /** Whether another request may go on it: its exit may have been rotated, or banned, since. */
  mayReuse(): boolean
  /** It is kept for another request, and given up when its place is wanted; undefined: it is used again. */
  rest(giveUp: (() => void) | undefined): void
  /** An HTTP server's answer came on it, with this code. */
  answered(status: number): void
  /** Joins the requester's connection, which nobody owns, to the target until both have ended. */
  carry(conn: Conn): void
  /** The connection to the target itself, which nobody owns, for who reads and writes it instead. */
  conn(): Conn
}

/** Takes the outbound that the rules say, and tells the events. Rejects with an OutboundError, or the signal's reason. */
export type Connect = (target: Target, requester: Requester) => Promise<Connected>

export interface ConnectOptions {
  outbounds: Record<OutboundName, Outbound>
  /** As they are at the moment. */
  rules: () => readonly Rule[]
  events: Events
  onAnswer?: ((answer: Answer) => void) | undefined
  gate?: Gate | undefined
}

/** What every protocol calls, once it knows where its client wants to go. */
export function connector({ outbounds, rules, events, onAnswer, gate }: ConnectOptions): Connect {
  return async (target, requester) => {
    const connection = nextConnection()
    const started = performance.now()
    const text = `${target.host}:${target.port}`
    const user = requester.login?.user
    let outbound: OutboundName | undefined
    const tell = (error: unknown, protocol?: Requester['protocol']) =>
      tellNotMade(events, { connection, outbound, target: text, user, ...(protocol && { protocol }) }, error)
    try {
      if (!isHost(target.host)) throw new TargetError('E_TARGET_INVALID', target.host)
      outbound = outboundFor(rules(), target)
      gate?.(requester)
      const reached = await outbounds[outbound](target, requester)
      if (requester.signal.aborted) {
        // Nobody else would end it, and its place among those of its login.
        reached.confirmed?.catch(() => {})
        reached.conn.abort(0)
        throw requester.signal.reason
      }
      const { session, confirmed } = reached
      const about = { connection, outbound, session, target: text, user, started }
      const tracker = confirmed ? trackEarly(events, about, confirmed) : trackConnection(events, about)
      // It has been told that it is connected, and gets no other word.
      confirmed?.catch(error => tell(error))
      return new Reached(target.host, reached, tracker, onAnswer)
    } catch (error) {
      if (isRefusal(error) || !requester.signal.aborted) tell(error, requester.protocol)
      throw error
    }
  }
}

// --- internal ---

/** A connection that was made, of which a tracker tells. */
class Reached implements Connected, ConnectionTracker {
  readonly counts: RelayCounts
  readonly #host: string
  readonly #reached: OutboundConn
  readonly #tracker: ConnectionTracker
  readonly #onAnswer: ConnectOptions['onAnswer']

  constructor(
    host: string,
    reached: OutboundConn,
    tracker: ConnectionTracker,
    onAnswer: ConnectOptions['onAnswer'],
  ) {
    this.counts = tracker.counts
    this.#host = host
    this.#reached = reached
    this.#tracker = tracker
    this.#onAnswer = onAnswer
  }

  get bound(): Target {
    return this.#reached.bound
  }

  get session(): string | undefined {
    return this.#reached.session
  }

  mayReuse(): boolean {
    return this.#reached.mayReuse?.() ?? true
  }

  rest(giveUp: (() => void) | undefined): void {
    this.#reached.rest?.(giveUp)
  }

  answered(status: number): void {
    this.#onAnswer?.({ host: this.#host, session: this.session, status })
  }

  carry(conn: Conn): void {
    relay(conn, this.#reached.conn, this)
  }

  conn(): Conn {
    return new TrackedConn(this.#reached.conn, this)
  }

  /** Tells the end of the exit's time, or of a quota, from another break. */
  onEnd(end: RelayEnd): void {
    this.#tracker.onEnd((end === 'target-closed' && this.#reached.brokenBy?.()) || end)
  }
}

/** No name has spaces or control characters, and SOCKS has one byte for its length (RFC 1928, section 5). */
const isHost = (host: string) => Buffer.byteLength(host) <= 255 && /^[^\s\p{Cc}]+$/u.test(host)
