import type { Conn, ConnHandlers, Detach } from '../net/conn.ts'
import { endLimit, startLimit, type TimeLimit } from '../net/time-limit.ts'
import type { RelayCounts, RelayEnd } from './relay-report.ts'

export interface RelayLimits {
  /**
   * With one direction ended and nothing in the other for this long, both are given up: a peer that is gone without a
   * word would be waited for without end. Milliseconds.
   */
  halfClosedMs: number
  /** Who is gone in good order leaves the other so long to end as well, and reads nothing more. Milliseconds. */
  goodbyeMs: number
}

export interface RelayOptions {
  counts?: RelayCounts | undefined
  /** Told once, when all is said or can no more be said; the last bytes may still be on their way. */
  onEnd?(how: RelayEnd): void
  limits?: RelayLimits
}

const defaultLimits: RelayLimits = { halfClosedMs: 300_000, goodbyeMs: 30_000 }

/**
 * Joins two connections, which nobody owns, until both directions have ended. Each direction's end is passed on by itself
 * (half-close); a break on either side breaks the other, behind what was said before it. Gives the function that lets go
 * of both, and hands bytes back to the client's.
 */
export function relay(client: Conn, target: Conn, options: RelayOptions = {}): Detach {
  return new Relay(client, target, options).join()
}

// --- internal ---

/** Two directions, and what ends them together. (Objects with methods: a thousand relays would be as many closures, ten times.) */
class Relay {
  readonly counts: RelayCounts
  readonly #client: Conn
  readonly #target: Conn
  readonly #options: RelayOptions
  readonly #limits: RelayLimits
  #directions = 2
  #conns = 2
  #over = false
  #limit: TimeLimit | undefined

  constructor(client: Conn, target: Conn, options: RelayOptions) {
    this.#client = client
    this.#target = target
    this.counts = options.counts ?? { up: 0, down: 0 }
    this.#options = options
    this.#limits = options.limits ?? defaultLimits
  }

  join(): Detach {
    const client = this.#client
    const target = this.#target
    const letGoClient = client.attach(new Direction(this, client, target, 'up', 'client-closed'))
    const letGoTarget = target.attach(new Direction(this, target, client, 'down', 'target-closed'))
    // What was said before the relay may still be on its way.
    if (client.full) target.pause()
    if (target.full) client.pause()
    return rest => {
      endLimit(this.#limit)
      letGoClient(rest)
      letGoTarget()
    }
  }

  /** Both directions have ended: there is nothing more to tell. */
  get isSaid(): boolean {
    return this.#directions === 0
  }

  ended(): void {
    this.#watch()
    if (--this.#directions === 0) this.finish('complete')
  }

  /** One of the connections is gone. */
  gone(): void {
    if (--this.#conns === 0) endLimit(this.#limit)
  }

  finish(how: RelayEnd): void {
    if (this.#over) return
    this.#over = true
    this.#options.onEnd?.(how)
  }

  /** The other connection is gone in good order: this one has its time to end as well. */
  goodbye(to: Conn): void {
    this.finish('complete')
    this.#within(this.#limits.goodbyeMs, () => to.abort())
  }

  #within(ms: number, late: () => void): void {
    endLimit(this.#limit)
    this.#limit = startLimit(ms, late)
  }

  #watch(): void {
    const carried = this.#carried
    this.#within(this.#limits.halfClosedMs, () => {
      // Who is slow to take something is not silent.
      if (carried !== this.#carried || this.#client.full || this.#target.full) return this.#watch()
      this.#target.abort()
      this.#client.abort()
    })
  }

  get #carried(): number {
    return this.counts.up + this.counts.down
  }
}

class Direction implements ConnHandlers {
  readonly #relay: Relay
  readonly #from: Conn
  readonly #to: Conn
  readonly #name: keyof RelayCounts
  readonly #broken: RelayEnd
  #ended = false

  /** `broken` is how it is told that the connection which it comes from broke off. */
  constructor(relay: Relay, from: Conn, to: Conn, name: keyof RelayCounts, broken: RelayEnd) {
    this.#relay = relay
    this.#from = from
    this.#to = to
    this.#name = name
    this.#broken = broken
  }

  data(chunk: Uint8Array): void {
    this.#relay.counts[this.#name] += chunk.length
    if (!this.#to.write(chunk)) this.#from.pause()
  }

  end(): void {
    this.#ended = true
    this.#to.end()
    this.#relay.ended()
  }

  drain(): void {
    this.#to.resume()
  }

  close(broken: boolean): void {
    this.#relay.gone()
    // Behind both ends there is nothing to tell: what was said to the other one is still delivered.
    if (this.#relay.isSaid) return
    this.#to.resume()
    if (broken || !this.#ended) {
      this.#relay.finish(this.#broken)
      this.#to.abort()
    } else this.#relay.goodbye(this.#to)
  }
}
