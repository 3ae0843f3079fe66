/** Every socket of Node's reads into this one: the runtime hands over a read before it begins the next. */
export const readBuffer: Buffer = Buffer.alloc(16 * 1024)

/** A chunk that is to be kept behind the call that brought it: only of what the next read overwrites it is a copy. */
export const keep = (chunk: Uint8Array): Uint8Array =>
  chunk.buffer === readBuffer.buffer ? new Uint8Array(chunk) : chunk
