import { type ErrorData, errorData } from '../../../tunnel/net/coded-error.ts'
import type { RelayCounts, RelayEnd } from '../../../tunnel/session/relay-report.ts'
import type { Events, NotConnected, OutboundName } from '../stats/events.ts'
import { isRefusal } from './outbound.ts'

/** A connection as the events tell of it. */
export interface ConnectionTracker {
  /** What it carries: whoever carries it counts on here. */
  counts: RelayCounts
  onEnd(end: RelayEnd): void
}

let connections = 0

/** The number of a connection that somebody asks for, made or not. */
export const nextConnection = (): number => ++connections

/** Of a connection that somebody has asked for. */
export interface Asked {
  connection: number
  outbound: OutboundName
  session: string | undefined
  target: string
  user: string | undefined
  /** By performance.now(). */
  started: number
}

/** Tells the events that a connection is open, and, when the tracker's `onEnd` says so, that it ended. */
export const trackConnection = (
  events: Events,
  about: Asked,
  counts: RelayCounts = { up: 0, down: 0 },
): ConnectionTracker => new Tracked(events, about, counts)

/**
 * The same of a connection that is used before its target is reached: it is open, and may end, when `confirmed` is
 * there, and never when that rejects.
 */
export function trackEarly(events: Events, about: Asked, confirmed: Promise<void>): ConnectionTracker {
  const counts = { up: 0, down: 0 }
  let tracker: ConnectionTracker | undefined
  let ended: RelayEnd | undefined
  confirmed.then(
    () => {
      tracker = trackConnection(events, about, counts)
      if (ended) tracker.onEnd(ended)
    },
    () => {},
  )
  return {
    counts,
    onEnd(end) {
      ended = end
      tracker?.onEnd(end)
    },
  }
}

/** Tells the events that a connection was not made, and why: it was refused, or it failed. */
export function tellNotMade(
  events: Events,
  connection: Omit<NotConnected, keyof ErrorData>,
  error: unknown,
): void {
  const about = { ...connection, ...errorData(error) }
  if (isRefusal(error)) events.emit({ type: 'connection.refused', ...about, reply: error.reply })
  else events.emit({ type: 'connection.failed', ...about })
}

// --- internal ---

class Tracked implements ConnectionTracker {
  readonly counts: RelayCounts
  readonly #events: Events
  readonly #about: Asked

  constructor(events: Events, about: Asked, counts: RelayCounts) {
    this.counts = counts
    this.#events = events
    this.#about = about
    const { connection, outbound, session, target, user } = about
    const ms = this.#elapsed
    events.emit({ type: 'connection.opened', connection, outbound, session, target, user, ms, counts })
  }

  onEnd(end: RelayEnd): void {
    const { connection, session, user } = this.#about
    const { up: bytesUp, down: bytesDown } = this.counts
    const ms = this.#elapsed
    this.#events.emit({ type: 'connection.closed', connection, session, user, bytesUp, bytesDown, ms, end })
  }

  get #elapsed(): number {
    return performance.now() - this.#about.started
  }
}
