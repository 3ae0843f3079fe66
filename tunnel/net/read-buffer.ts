/**
 * What one read of the runtime's brings at most. Bun cuts a longer read into pieces of the buffer's size, and of an owner
 * that pauses within it and a peer that breaks off meanwhile, it loses those behind. Bytes.
 */
const readSize = process.versions.bun === undefined ? 16 * 1024 : 512 * 1024

/** Every socket of Node's reads into this one: the runtime hands over a read before it begins the next. */
export const readBuffer: Buffer = Buffer.alloc(readSize)

/** A chunk that is to be kept behind the call that brought it: only of what the next read overwrites it is a copy. */
export const keep = (chunk: Uint8Array): Uint8Array =>
  chunk.buffer === readBuffer.buffer ? new Uint8Array(chunk) : chunk
