/**
 * What is there, in the order in which it came: for what comes and goes by the thousand. A Set or Map of Bun's keeps what
 * was deleted from it until all memory is collected: each table that it has outgrown, or tidied up, refers to the next,
 * and one that has lived through a collection counts as in use in those that follow.
 */
export class Roster<T> {
  #oldest: RosterEntry<T> | undefined
  #newest: RosterEntry<T> | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get oldest(): RosterEntry<T> | undefined {
    return this.#oldest
  }

  /** Takes it in, behind all others. */
  enter(value: T): RosterEntry<T> {
    const entry = new RosterEntry(value, this)
    entry.older = this.#newest
    if (this.#newest) this.#newest.newer = entry
    else this.#oldest = entry
    this.#newest = entry
    this.#size++
    return entry
  }

  /** What is there now, the oldest first. */
  list(): T[] {
    const values: T[] = []
    for (let entry = this.#oldest; entry; entry = entry.newer) values.push(entry.value)
    return values
  }

  /** Takes out what is there: for its entry alone. */
  remove(entry: RosterEntry<T>): void {
    const { older, newer } = entry
    if (older) older.newer = newer
    else this.#oldest = newer
    if (newer) newer.older = older
    else this.#newest = older
    this.#size--
  }
}

/** A place in a roster. */
export class RosterEntry<T> {
  /** The roster's own. */
  older: RosterEntry<T> | undefined
  newer: RosterEntry<T> | undefined
  #roster: Roster<T> | undefined

  constructor(
    readonly value: T,
    roster: Roster<T>,
  ) {
    this.#roster = roster
  }

  /** Takes it out. False: it is out already. */
  leave(): boolean {
    if (!this.#roster) return false
    this.#roster.remove(this)
    this.#roster = undefined
    // Who keeps this entry keeps nobody else.
    this.older = undefined
    this.newer = undefined
    return true
  }
}
