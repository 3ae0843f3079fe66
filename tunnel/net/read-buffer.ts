/**
 * What one read of a socket brings at most. Of each connection whose reader is slow so much waits here: beside many
 * others it is half. Bytes.
 */
const readSize = { few: 16 * 1024, many: 8 * 1024 } as const
const fewConnections = 100

/**
 * Bun cuts a longer read into pieces of the buffer's size, and of an owner that pauses within it and a peer that breaks
 * off meanwhile, it loses those behind. Bytes.
 */
const bunReadSize = 512 * 1024
const isBun = process.versions.bun !== undefined

const readBuffer = Buffer.alloc(isBun ? bunReadSize : readSize.few)

/**
 * What a socket of Node's reads into beside so many open ones, all of them the same: the runtime hands over a read before
 * it begins the next.
 */
export const readBufferFor = (open: number): Buffer =>
  isBun || open <= fewConnections ? readBuffer : readBuffer.subarray(0, readSize.many)

/** A chunk that is to be kept behind the call that brought it: only of what the next read overwrites it is a copy. */
export const keep = (chunk: Uint8Array): Uint8Array =>
  chunk.buffer === readBuffer.buffer ? new Uint8Array(chunk) : chunk
