import type { Conn } from '../net/conn.ts'
import type { QuicStream } from '../quic/stream.ts'

/** Bytes that went through a relay: up is from the client's side to the target. */
export interface RelayCounts {
  fromConn: number
  toConn: number
}

/** How a relay ended: both sides said their end, one of them broke off, or the exit's time was up. */
export type RelayEnd = 'complete' | 'stream-aborted' | 'conn-closed' | 'deadline'

export interface RelayOptions {
  counts?: RelayCounts
  onEnd?: (how: RelayEnd) => void
}

const chunkSize = 64 * 1024
/** Chunks a stream may deliver before the others get their turn. */
const chunksPerTurn = 4
const spare: Uint8Array[] = []
const maxSpare = 32

/**
 * Carries bytes between a TCP connection and a QUIC stream until both directions have ended. Each
 * direction's end is passed on by itself (half-close); a break on either side breaks the other.
 */
export function relay(conn: Conn, stream: QuicStream, options: RelayOptions = {}): void {
  const { counts, onEnd } = options
  /** The chunk that the connection keeps until it has drained. */
  let held: Uint8Array | undefined
  /** What the stream would not take yet; the connection is paused meanwhile. */
  let unsent: Uint8Array | undefined
  let connEnded = false
  let toldEnd = false
  let over = false

  const finish = (how: RelayEnd) => {
    if (over) return
    over = true
    release()
    onEnd?.(how)
  }
  const release = () => {
    if (held && spare.length < maxSpare) spare.push(held)
    held = undefined
  }
  const completed = () => {
    if (toldEnd && connEnded && !unsent && !held) finish('complete')
  }

  const pull = () => {
    for (let i = 0; !held && !over && !stream.readEnded; i++) {
      if (i === chunksPerTurn) return stream.readLater()
      const buffer = spare.pop() ?? new Uint8Array(chunkSize)
      const read = stream.read(buffer)
      if (read === 0) {
        spare.push(buffer)
        break
      }
      if (counts) counts.toConn += read
      if (conn.write(read === buffer.length ? buffer : buffer.subarray(0, read))) spare.push(buffer)
      else held = buffer
    }
    if (stream.readEnded && !held && !toldEnd && !over) {
      toldEnd = true
      conn.end()
      completed()
    }
  }
  const push = (chunk: Uint8Array) => {
    if (over) return
    if (counts) counts.fromConn += chunk.length
    const taken = stream.write(chunk)
    if (taken === chunk.length) return
    conn.pause()
    unsent = new Uint8Array(chunk.subarray(taken))
  }

  stream.onReadable = pull
  stream.onWritable = () => {
    if (!unsent) return
    const taken = stream.write(unsent)
    unsent = taken === unsent.length ? undefined : unsent.subarray(taken)
    if (unsent) return
    if (connEnded) stream.end()
    else conn.resume()
    completed()
  }
  stream.onAborted = () => {
    if (over) return
    finish('stream-aborted')
    conn.abort()
  }
  conn.onData = push
  conn.onDrain = () => {
    release()
    pull()
    completed()
  }
  conn.onEnd = () => {
    connEnded = true
    if (!unsent) stream.end()
    completed()
  }
  conn.onClose = () => {
    if (over) return
    // A connection that closes after both ends were said is an ordinary end.
    const how = toldEnd && connEnded ? 'complete' : 'conn-closed'
    finish(how)
    if (how === 'conn-closed') stream.abort()
  }
  pull()
}
