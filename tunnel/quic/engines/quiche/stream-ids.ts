/**
 * Which bidirectional stream ids are ours, and which of the peer's have been seen (RFC 9000, section
 * 2.1: the lowest bit says who opened it, and ids of a kind are used in order, though they may arrive
 * out of order).
 */
export class StreamIds {
  #next: number
  #expected: number
  readonly #ahead = new Set<number>()

  constructor(role: 'client' | 'server') {
    this.#next = role === 'client' ? 0 : 1
    this.#expected = 1 - this.#next
  }

  /** The id of the next stream that we open. */
  next(): number {
    const id = this.#next
    this.#next += 4
    return id
  }

  /** True the first time that an id of the peer's is seen; false ever after, and for ids of ours. */
  isNew(id: number): boolean {
    if (id % 4 !== this.#expected % 4 || id < this.#expected || this.#ahead.has(id)) return false
    this.#ahead.add(id)
    while (this.#ahead.delete(this.#expected)) this.#expected += 4
    return true
  }
}
