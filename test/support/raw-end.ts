import type { Socket, SocketHandler } from 'bun'
import { undelivered } from '../../tunnel/net/undelivered.ts'

/** An end of a TCP connection, which tells an end from a reset, and can do both. */
export class RawEnd {
  /** Bytes that came. */
  length = 0
  /** The first of them, as Latin-1. */
  text = ''
  /** The other side has ended its direction. */
  ended = false
  /** How the connection ended: in good order, or by a reset. */
  closed: 'in order' | 'reset' | undefined
  readonly #socket: Socket<unknown>
  #unsent: Uint8Array[] = []
  #then: 'open' | 'end' | 'reset' = 'open'

  constructor(socket: Socket<unknown>) {
    this.#socket = socket
    socket.setNoDelay(true)
  }

  write(bytes: Uint8Array | string): void {
    this.#unsent.push(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    this.flush()
  }

  /** Ends our direction behind what was written. */
  end(): void {
    this.#then = 'end'
    this.flush()
  }

  /** Resets the connection as soon as the other side's system has what was written. */
  reset(): void {
    this.#then = 'reset'
    this.flush()
  }

  /** Resets the connection at once, whatever is on its way. */
  cut(): void {
    this.#unsent = []
    this.#socket.terminate()
  }

  /** Bytes that the system has not taken yet. */
  get unsent(): number {
    return this.#unsent.reduce((sum, { length }) => sum + length, 0)
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  flush(): void {
    if (this.closed) return
    for (let first = this.#unsent[0]; first; first = this.#unsent[0]) {
      const written = Math.max(0, this.#socket.write(first))
      if (written < first.length) {
        this.#unsent[0] = first.subarray(written)
        return
      }
      this.#unsent.shift()
    }
    if (this.#then === 'end') this.#socket.shutdown()
    if (this.#then === 'reset') this.#reset()
  }

  #reset(): void {
    if (this.closed) return
    if (undelivered((this.#socket as { fd?: number }).fd ?? -1) === 0) this.#socket.terminate()
    else setTimeout(() => this.#reset(), 5)
  }
}

type Heard = (end: RawEnd, chunk: Buffer) => void

const handlers = (onOpen: (end: RawEnd) => void, onData: Heard): SocketHandler<RawEnd> => ({
  open(socket) {
    socket.data = new RawEnd(socket)
    onOpen(socket.data)
  },
  data({ data: end }, chunk) {
    end.length += chunk.length
    if (end.text.length < 1_000) end.text += chunk.toString('latin1')
    onData(end, chunk)
  },
  drain: socket => socket.data.flush(),
  end({ data }) {
    data.ended = true
  },
  close({ data }, error) {
    // A write that failed may have taken the error for itself, and what it was given is still here.
    data.closed = error || data.unsent > 0 ? 'reset' : 'in order'
    if (data.closed === 'in order') data.ended = true
  },
  error() {},
})

/** Connects to a port of 127.0.0.1. */
export async function connectRaw(port: number): Promise<RawEnd> {
  const { promise, resolve } = Promise.withResolvers<RawEnd>()
  await Bun.connect({
    hostname: '127.0.0.1',
    port,
    allowHalfOpen: true,
    socket: handlers(resolve, () => {}),
  })
  return promise
}

export interface RawListener {
  port: number
  /** All connections so far, in their order. */
  ends: RawEnd[]
  close(): void
}

/** Listens on 127.0.0.1, or on all loopback addresses of the name. */
export function listenRaw(onOpen: (end: RawEnd) => void = () => {}, onData: Heard = () => {}): RawListener {
  const ends: RawEnd[] = []
  const opened = (end: RawEnd) => {
    ends.push(end)
    onOpen(end)
  }
  const server = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    allowHalfOpen: true,
    socket: handlers(opened, onData),
  })
  return { port: server.port, ends, close: () => server.stop(true) }
}
