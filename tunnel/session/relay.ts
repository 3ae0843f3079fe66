import type { QuicStream } from '../quic/stream.ts'

/**
 * A TCP connection as the relay sees it, whatever the runtime's sockets are like. Backpressure in both
 * directions is the point of it: neither side ever queues more than one chunk.
 */
export interface Wire {
  /** Data came; the bytes are valid only until it returns. */
  onData: (chunk: Uint8Array) => void
  /** The peer ended its direction. */
  onEnd: () => void
  /** What the wire held is written; it takes more. */
  onDrain: () => void
  /** The connection is gone, whichever way. */
  onClose: () => void
  /** Writes a chunk. False: it could not be written at once, the wire keeps the buffer until `onDrain`. */
  write(chunk: Uint8Array): boolean
  /** Ends our direction (FIN) after what was written. */
  end(): void
  /** Drops the connection (RST where the runtime can). */
  abort(): void
  pause(): void
  resume(): void
}

/** Bytes that went through a relay: up is from the client's side to the target. */
export interface RelayCounts {
  fromWire: number
  toWire: number
}

/** How a relay ended: both sides said their end, one of them broke off, or the exit's time was up. */
export type RelayEnd = 'complete' | 'stream-aborted' | 'wire-closed' | 'deadline'

export interface RelayOptions {
  counts?: RelayCounts
  onEnd?: (how: RelayEnd) => void
}

const chunkSize = 64 * 1024
/** Chunks a stream may deliver before the others get their turn. */
const chunksPerTurn = 4
const spare: Uint8Array[] = []
const mostSpare = 32

/**
 * Carries bytes between a TCP connection and a QUIC stream until both directions have ended. Each
 * direction's end is passed on by itself (half-close); a break on either side breaks the other.
 */
export function relay(wire: Wire, stream: QuicStream, options: RelayOptions = {}): void {
  const { counts, onEnd } = options
  /** The chunk that the wire keeps until it has drained. */
  let held: Uint8Array | undefined
  /** What the stream would not take yet; the wire is paused meanwhile. */
  let unsent: Uint8Array | undefined
  let wireEnded = false
  let toldEnd = false
  let over = false

  const finish = (how: RelayEnd) => {
    if (over) return
    over = true
    release()
    onEnd?.(how)
  }
  const release = () => {
    if (held && spare.length < mostSpare) spare.push(held)
    held = undefined
  }
  const completed = () => {
    if (toldEnd && wireEnded && !unsent && !held) finish('complete')
  }

  const pull = () => {
    for (let i = 0; !held && !over && !stream.readEnded; i++) {
      if (i === chunksPerTurn) return stream.host.again()
      const buffer = spare.pop() ?? new Uint8Array(chunkSize)
      const read = stream.read(buffer)
      if (read === 0) {
        spare.push(buffer)
        break
      }
      if (counts) counts.toWire += read
      if (wire.write(read === buffer.length ? buffer : buffer.subarray(0, read))) spare.push(buffer)
      else held = buffer
    }
    if (stream.readEnded && !held && !toldEnd && !over) {
      toldEnd = true
      wire.end()
      completed()
    }
  }
  const push = (chunk: Uint8Array) => {
    if (over) return
    if (counts) counts.fromWire += chunk.length
    const taken = stream.write(chunk)
    if (taken === chunk.length) return
    wire.pause()
    unsent = new Uint8Array(chunk.subarray(taken))
  }

  stream.onReadable = pull
  stream.onWritable = () => {
    if (!unsent) return
    const taken = stream.write(unsent)
    unsent = taken === unsent.length ? undefined : unsent.subarray(taken)
    if (unsent) return
    if (wireEnded) stream.end()
    else wire.resume()
    completed()
  }
  stream.onAborted = () => {
    if (over) return
    finish('stream-aborted')
    wire.abort()
  }
  wire.onData = push
  wire.onDrain = () => {
    release()
    pull()
    completed()
  }
  wire.onEnd = () => {
    wireEnded = true
    if (!unsent) stream.end()
    completed()
  }
  wire.onClose = () => {
    if (over) return
    // A wire that closes after both ends were said is an ordinary end.
    const how = toldEnd && wireEnded ? 'complete' : 'wire-closed'
    finish(how)
    if (how === 'wire-closed') stream.abort()
  }
  pull()
}
