/** A name of 255 bytes, its length, the type, the port, and a byte before: no header is longer. */
const maxHeaderLength = 300

/**
 * Collects the header of a stream from its chunks. `lengthOf` says how long the frame is, as far as the bytes so far
 * tell.
 */
export class HeaderReader {
  /** Made when a header comes in pieces. */
  #bytes: Uint8Array | undefined
  readonly #lengthOf: (bytes: Uint8Array) => number
  #have = 0

  constructor(lengthOf: (bytes: Uint8Array) => number) {
    this.#lengthOf = lengthOf
  }

  /**
   * The whole header and what follows it in this chunk, of which both may be parts, or undefined when more must arrive.
   * Throws a FrameError when it is malformed.
   */
  push(chunk: Uint8Array): { header: Uint8Array; rest: Uint8Array } | undefined {
    if (!this.#bytes) {
      const length = this.#lengthOf(chunk)
      if (length <= chunk.length) return { header: chunk.subarray(0, length), rest: chunk.subarray(length) }
      this.#bytes = new Uint8Array(maxHeaderLength)
    }
    let rest = chunk
    for (;;) {
      const length = this.#lengthOf(this.#bytes.subarray(0, this.#have))
      if (this.#have === length) return { header: this.#bytes.subarray(0, length), rest }
      if (rest.length === 0) return undefined
      const part = rest.subarray(0, length - this.#have)
      this.#bytes.set(part, this.#have)
      this.#have += part.length
      rest = rest.subarray(part.length)
    }
  }
}
