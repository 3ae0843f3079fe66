import type { QuicStream } from '../tunnel/quic/stream.ts'
import type { Request } from '../tunnel/session/frames/request.ts'

const chunk = new Uint8Array(64 * 1024)
/** No measurement is larger. Bytes. */
const maxBytes = 8 * 1024 ** 3

/** The services that measure the tunnel: echo gives back what comes, discard swallows it, chargen sends. */
export function serveMeasure({ command, target }: Request, stream: QuicStream): void {
  if (command === 'echo') echo(stream)
  else if (command === 'discard') discard(stream)
  else chargen(stream, Math.min(Math.max(Math.trunc(Number(target.host)) || 0, 0), maxBytes))
}

// --- internal ---

function discard(stream: QuicStream): void {
  stream.attach({ data() {}, end: () => stream.end(), drain() {}, close() {} })
}

function chargen(stream: QuicStream, bytes: number): void {
  let left = bytes
  const send = () => {
    while (left > 0 && !stream.full) {
      const part = left < chunk.length ? chunk.subarray(0, left) : chunk
      left -= part.length
      stream.write(part)
    }
    if (left === 0) stream.end()
  }
  stream.attach({ data() {}, end() {}, drain: send, close() {} })
  send()
}

function echo(stream: QuicStream): void {
  stream.attach({
    data(bytes) {
      if (!stream.write(bytes)) stream.pause()
    },
    end: () => stream.end(),
    drain: () => stream.resume(),
    close() {},
  })
}
