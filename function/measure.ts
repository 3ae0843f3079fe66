import type { QuicStream } from '../tunnel/quic/stream.ts'
import type { Request } from '../tunnel/session/frames/request.ts'

const chunk = new Uint8Array(64 * 1024)
const scratch = new Uint8Array(64 * 1024)
/** No measurement is larger. Bytes. */
const most = 8 * 1024 ** 3

/** The services that measure the tunnel: echo gives back what comes, discard swallows it, chargen sends. */
export function serveMeasure({ command, target }: Request, stream: QuicStream): void {
  if (command === 'echo') echo(stream)
  else if (command === 'discard') discard(stream)
  else chargen(stream, Math.min(Math.trunc(Number(target.host)) || 0, most))
}

// --- internal ---

function discard(stream: QuicStream): void {
  stream.onReadable = () => {
    while (stream.read(scratch) > 0);
    if (stream.readEnded) stream.end()
  }
  stream.onReadable()
}

function chargen(stream: QuicStream, bytes: number): void {
  let left = bytes
  stream.onReadable = () => {
    while (stream.read(scratch) > 0);
  }
  stream.onWritable = () => {
    while (left > 0) {
      const part = left < chunk.length ? chunk.subarray(0, left) : chunk
      const taken = stream.write(part)
      left -= taken
      if (taken < part.length) return
    }
    stream.end()
  }
  stream.onWritable()
}

function echo(stream: QuicStream): void {
  let unsent = new Uint8Array()
  const pump = () => {
    while (unsent.length === 0) {
      const read = stream.read(scratch)
      if (read === 0) break
      unsent = scratch.slice(0, read)
      unsent = unsent.subarray(stream.write(unsent))
    }
    if (unsent.length === 0 && stream.readEnded) stream.end()
  }
  stream.onReadable = pump
  stream.onWritable = () => {
    unsent = unsent.subarray(stream.write(unsent))
    pump()
  }
  pump()
}
