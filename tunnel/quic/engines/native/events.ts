/** What the addon tells of (native/engine/index.d.ts); a `const enum` of a declaration is not there at run time. */
export const eventKinds = {
  connected: 1,
  closed: 2,
  opened: 3,
  readable: 4,
  finished: 5,
  stopped: 6,
  reset: 7,
  available: 8,
  datagrams: 9,
  datagramRoom: 10,
  packets: 11,
  dialled: 12,
  undialled: 13,
  parted: 14,
  hungUp: 15,
} as const

/** Numbers of an event: kind, stream, code. */
export const eventWords = 3

/** Events that are taken at once. */
const maxEvents = 256

/** The events of a socket, taken in batches and told one by one. */
export class EventQueue {
  readonly #words = new Uint32Array(maxEvents * eventWords)
  #next = 0
  #end = 0

  /** Nothing waits to be told. */
  get isEmpty(): boolean {
    return this.#next === this.#end
  }

  /** Takes a batch, once the one before is told. */
  fill(take: (words: Uint32Array) => number): void {
    this.#next = 0
    this.#end = take(this.#words) * eventWords
  }

  /** Whether the last batch had no room for more. */
  get wasFull(): boolean {
    return this.#end === this.#words.length
  }

  /** Tells what waits until `tell` returns false. What it throws does not take the rest away. */
  drain(tell: (kind: number, subject: number, code: number) => boolean): void {
    while (this.#next < this.#end) {
      const at = this.#next
      this.#next += eventWords
      if (!tell(this.#words[at]!, this.#words[at + 1]!, this.#words[at + 2]!)) return
    }
  }
}
