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

/**
 * Like `keep`, for who says by `release` when it is done: the copy's buffer is used again. Where many wait for room, what
 * they keep would otherwise be garbage by the megabyte before anybody collects it.
 */
export function keepUntilReleased(chunk: Uint8Array): Uint8Array {
  if (chunk.buffer !== readBuffer.buffer || chunk.length > maxSteps * step) return keep(chunk)
  const steps = Math.ceil(chunk.length / step)
  let buffer = spare[steps]?.pop()
  if (!buffer) {
    buffer = new Uint8Array(steps * step)
    lent.add(buffer.buffer)
  }
  buffer.set(chunk)
  return buffer.subarray(0, chunk.length)
}

/** Nobody looks any more at what was kept, of which this is a part. */
export function release(kept: Uint8Array): void {
  if (!lent.has(kept.buffer)) return
  const kind = spare[kept.buffer.byteLength / step]
  if (kind && kind.length < maxSpare) kind.push(new Uint8Array(kept.buffer))
}

// --- internal ---

/** Buffers have whole steps, so that few kinds of them serve all lengths. Bytes. */
const step = 4 * 1024
const maxSteps = 4
/** Of each kind, those that wait to be used again. */
const maxSpare = 256
const spare: Uint8Array[][] = Array.from({ length: maxSteps + 1 }, () => [])
const lent = new WeakSet<ArrayBufferLike>()
