import type { QuicStream } from '../../quic/stream.ts'

/** A name of 255 bytes, its length, the type, the port, and a byte before: no header is longer. */
const maxHeaderLength = 300

/**
 * Reads the header of a stream and not a byte more, so that what follows it is left for the relay.
 * `lengthOf` says how long the frame is, as far as the bytes so far tell.
 */
export class HeaderReader {
  readonly #bytes = new Uint8Array(maxHeaderLength)
  #have = 0

  constructor(
    readonly stream: QuicStream,
    readonly lengthOf: (bytes: Uint8Array) => number,
  ) {}

  /** The whole header, or undefined when more must arrive. Throws a FrameError when it is malformed or cut off. */
  read(): Uint8Array | undefined {
    for (;;) {
      const length = this.lengthOf(this.#bytes.subarray(0, this.#have))
      if (this.#have === length) return this.#bytes.subarray(0, length)
      const read = this.stream.read(this.#bytes.subarray(this.#have, length))
      if (read === 0) return undefined
      this.#have += read
    }
  }
}
