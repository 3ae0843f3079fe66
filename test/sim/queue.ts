/** What is to happen, by virtual time; of the same time, what was put in first. */
export class Queue {
  readonly #entries: { at: number; action: () => void }[] = []

  put(at: number, action: () => void): void {
    let low = 0
    let high = this.#entries.length
    // The next to happen is at the end.
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#entries[middle]!.at > at) low = middle + 1
      else high = middle
    }
    this.#entries.splice(low, 0, { at, action })
  }

  next(): { at: number; action: () => void } | undefined {
    return this.#entries.pop()
  }
}
