/** The same function, which remembers what it gave for the last `max` arguments; they must be short. */
export function remembering<V>(max: number, read: (key: string) => V): (key: string) => V {
  const known = new BoundedMap<string, V>(max)
  return key => {
    const value = known.get(key)
    if (value !== undefined) return value
    const fresh = read(key)
    known.set(key, fresh)
    return fresh
  }
}

/**
 * A map of at most `max` entries: setting one more evicts the entry that was set or touched longest ago. `onEvict`
 * hears of evictions alone, not of deletions.
 */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #max: number
  readonly #onEvict: ((key: K, value: V) => void) | undefined

  constructor(max: number, onEvict?: (key: K, value: V) => void) {
    super()
    this.#max = max
    this.#onEvict = onEvict
  }

  override set(key: K, value: V): this {
    this.delete(key)
    super.set(key, value)
    if (this.size > this.#max) {
      const [oldest] = this as Iterable<[K, V]>
      if (oldest) {
        this.delete(oldest[0])
        this.#onEvict?.(oldest[0], oldest[1])
      }
    }
    return this
  }

  /** Gets a value and makes its entry the newest. */
  touch(key: K): V | undefined {
    const value = this.get(key)
    if (this.has(key)) this.set(key, value as V)
    return value
  }
}
