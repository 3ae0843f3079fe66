import type { Socket, SocketHandler } from 'bun'
import type { Conn } from './conn.ts'

/**
 * A TCP connection of Bun's, which tells how much of a write the kernel took, so that what it did not
 * take can stay where it is.
 */
export class BunConn implements Conn {
  onData: (chunk: Uint8Array) => void = () => {}
  onEnd: () => void = () => {}
  onDrain: () => void = () => {}
  onClose: () => void = () => {}

  readonly #socket: Socket<unknown>
  /** What the kernel did not take of the last chunk. */
  #rest: Uint8Array | undefined
  #ending = false
  #peerEnded = false
  #closed = false

  constructor(socket: Socket<unknown>) {
    this.#socket = socket
  }

  /** The other end's address. */
  get peerAddress(): string {
    return this.#socket.remoteAddress
  }

  /** This end's address, on which the client reached us. */
  get localAddress(): string {
    return this.#socket.localAddress
  }

  write(chunk: Uint8Array): boolean {
    if (this.#closed) return true
    const written = Math.max(0, this.#socket.write(chunk))
    if (written === chunk.length) return true
    this.#rest = chunk.subarray(written)
    return false
  }

  end(): void {
    this.#ending = true
    if (!this.#rest && !this.#closed) this.#shutdown()
  }

  abort(): void {
    if (!this.#closed) this.#socket.terminate()
  }

  pause(): void {
    if (!this.#closed) this.#socket.pause()
  }

  resume(): void {
    if (!this.#closed) this.#socket.resume()
  }

  // What the listener's handlers call.

  drained(): void {
    if (this.#rest) {
      const rest = this.#rest
      this.#rest = undefined
      if (!this.write(rest)) return
    }
    if (this.#ending) this.#shutdown()
    this.onDrain()
  }

  ended(): void {
    this.#peerEnded = true
    this.onEnd()
    if (this.#ending && !this.#rest && !this.#closed) this.#socket.end()
  }

  closed(error?: Error): void {
    if (this.#closed) return
    this.#closed = true
    // After our own end, Bun tells the peer's as a close without an error.
    if (!error && this.#ending && !this.#peerEnded) this.onEnd()
    this.onClose()
  }

  #shutdown(): void {
    if (this.#peerEnded) this.#socket.end()
    else this.#socket.shutdown()
  }
}

/** What Bun.listen and Bun.connect call, for sockets whose data is a BunConn. */
export const connEvents = {
  data: (socket, chunk) => socket.data.onData(chunk),
  drain: socket => socket.data.drained(),
  end: socket => socket.data.ended(),
  // A connection that never opened has no connection yet.
  close: (socket, error) => socket.data?.closed(error),
  error() {},
} satisfies SocketHandler<BunConn>
