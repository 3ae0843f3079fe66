import { Roster, type RosterEntry } from '../../../tunnel/net/roster.ts'
import { type Source, thisMachine } from './source.ts'

export interface WaitingLimits {
  /** Connections from this machine. */
  here: number
  /** Those from all others together. */
  elsewhere: number
  /** Those from one of the others. */
  source: number
}

/** Of a listener. */
export const waitingLimits: WaitingLimits = { here: 1_024, elsewhere: 256, source: 64 }

interface Guest {
  source: Source
  giveWay: () => void
}

/** A connection in the waiting room. */
export type Waiting = RosterEntry<Guest>

/**
 * The connections of a listener that have not been admitted: they have not logged in, or not said where they want to
 * go. A newcomer always gets in. Where there is no room the connection gives way that has waited longest of the source
 * that has the most: who holds many loses them first, and who speaks up at once is not kept waiting by those who do not.
 */
export class WaitingRoom {
  readonly #limits: WaitingLimits
  /** By source, and in the order in which they came. */
  readonly #waiting = new Map<string, Roster<Guest>>()
  #elsewhere = 0

  constructor(limits: WaitingLimits = waitingLimits) {
    this.#limits = limits
  }

  /** `giveWay` is called when it has to. */
  enter(source: Source, giveWay: () => void): Waiting {
    const { here, name } = source
    const own = this.#waiting.get(name) ?? new Roster()
    this.#waiting.set(name, own)
    const waiting = own.enter({ source, giveWay })
    if (here) {
      if (own.size > this.#limits.here) this.#dismiss(own.oldest)
      return waiting
    }
    this.#elsewhere++
    if (own.size > this.#limits.source) this.#dismiss(own.oldest)
    else if (this.#elsewhere > this.#limits.elsewhere) this.#dismiss(this.#largest()?.oldest)
    return waiting
  }

  /** It waits no longer; nothing happens where it has left, or given way, already. */
  leave(waiting: Waiting): void {
    if (!waiting.leave()) return
    const { here, name } = waiting.value.source
    if (!here) this.#elsewhere--
    if (this.#waiting.get(name)?.size === 0) this.#waiting.delete(name)
  }

  #dismiss(waiting: Waiting | undefined): void {
    if (!waiting) return
    this.leave(waiting)
    waiting.value.giveWay()
  }

  #largest(): Roster<Guest> | undefined {
    let largest: Roster<Guest> | undefined
    for (const [name, entries] of this.#waiting)
      if (name !== thisMachine && entries.size > (largest?.size ?? 0)) largest = entries
    return largest
  }
}
