import type { Source } from './source.ts'

/** Who has taken what there is when there is no room: all together, other machines, or the source itself. */
export type Full = 'all' | 'elsewhere' | 'source'

/**
 * A number of places. Other machines get three quarters of them at most, so that this one always has some, and none
 * of them more than half.
 */
export class Places {
  readonly max: { readonly all: number; readonly elsewhere: number; readonly source: number }
  readonly #bySource = new Map<string, number>()
  #taken = 0
  #elsewhere = 0

  constructor(max: number) {
    this.max = { all: max, elsewhere: Math.ceil((max * 3) / 4), source: Math.ceil(max / 2) }
  }

  /** Why this source gets no place now. */
  full({ here, name }: Source): Full | undefined {
    if (!here && (this.#bySource.get(name) ?? 0) >= this.max.source) return 'source'
    if (!here && this.#elsewhere >= this.max.elsewhere) return 'elsewhere'
    return this.#taken >= this.max.all ? 'all' : undefined
  }

  /** Takes one, whether or not there is room, and gives the function that gives it back, once. */
  take(source: Source): () => void {
    this.#count(source, 1)
    let isTaken = true
    return () => {
      if (isTaken) this.#count(source, -1)
      isTaken = false
    }
  }

  #count({ here, name }: Source, by: number): void {
    this.#taken += by
    if (here) return
    this.#elsewhere += by
    const count = (this.#bySource.get(name) ?? 0) + by
    if (count > 0) this.#bySource.set(name, count)
    else this.#bySource.delete(name)
  }
}
