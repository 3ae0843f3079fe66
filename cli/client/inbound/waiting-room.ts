import { Roster } from '../../../tunnel/net/roster.ts'
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

/**
 * The connections of a listener that have not been admitted: they have not logged in, or not said where they want to
 * go. A newcomer always gets in. Where there is no room the connection gives way that has waited longest of the source
 * that has the most: who holds many loses them first, and who speaks up at once is not kept waiting by those who do not.
 */
export class WaitingRoom {
  readonly #limits: WaitingLimits
  /** By source, and in the order in which they came. */
  readonly #waiting = new Map<string, Roster<() => void>>()
  #elsewhere = 0

  constructor(limits: WaitingLimits = waitingLimits) {
    this.#limits = limits
  }

  /** `giveWay` is called when it has to. Gives the function by which it leaves. */
  enter({ here, name }: Source, giveWay: () => void): () => void {
    const own = this.#waiting.get(name) ?? new Roster()
    this.#waiting.set(name, own)
    const entry = own.enter(() => {
      leave()
      giveWay()
    })
    const leave = () => {
      if (!entry.leave()) return
      if (!here) this.#elsewhere--
      if (own.size === 0) this.#waiting.delete(name)
    }
    if (here) {
      if (own.size > this.#limits.here) own.oldest?.value()
      return leave
    }
    this.#elsewhere++
    if (own.size > this.#limits.source) own.oldest?.value()
    else if (this.#elsewhere > this.#limits.elsewhere) this.#largest()?.oldest?.value()
    return leave
  }

  #largest(): Roster<() => void> | undefined {
    let largest: Roster<() => void> | undefined
    for (const [name, entries] of this.#waiting)
      if (name !== thisMachine && entries.size > (largest?.size ?? 0)) largest = entries
    return largest
  }
}
