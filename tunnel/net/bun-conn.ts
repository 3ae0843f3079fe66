import type { Socket, SocketHandler } from 'bun'
import { defaultLingerMs, keepAliveMs } from './conn.ts'
import { OwnedConn } from './owned-conn.ts'
import { undelivered } from './undelivered.ts'

/**
 * A TCP connection of Bun's, which tells how much of a write the kernel took, so that what it did not
 * take can stay where it is.
 */
export class BunConn extends OwnedConn {
  readonly #socket: Socket<unknown>
  /** What the kernel did not take of the last chunk. */
  #rest: Uint8Array | undefined
  /** What becomes of the connection behind what was written. */
  #then: 'open' | 'ended' | 'aborted' = 'open'
  #limit: ReturnType<typeof setTimeout> | undefined
  #look: ReturnType<typeof setTimeout> | undefined

  constructor(socket: Socket<unknown>) {
    super()
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setKeepAlive(true, keepAliveMs)
  }

  /** The other end's address. */
  get peerAddress(): string {
    return this.#socket.remoteAddress
  }

  /** This end's address, on which the client reached us. */
  get localAddress(): string {
    return this.#socket.localAddress
  }

  get full(): boolean {
    return this.#rest !== undefined
  }

  write(chunk: Uint8Array): boolean {
    if (this.isGone || this.#then !== 'open') return true
    if (this.#rest) {
      // Whoever writes without room: nothing is lost or changes places.
      this.#rest = Buffer.concat([this.#rest, chunk])
      return false
    }
    return this.#write(chunk)
  }

  end(): void {
    if (this.isGone || this.#then !== 'open') return
    this.#then = 'ended'
    if (!this.#rest) this.#shutdown()
  }

  abort(lingerMs = defaultLingerMs): void {
    if (this.isGone) return
    this.#then = 'aborted'
    this.pause()
    clearTimeout(this.#limit)
    if (lingerMs <= 0) return void this.#break()
    this.#limit = setTimeout(() => this.#break(), lingerMs)
    this.#limit.unref()
    if (!this.#rest) this.#breakBehind()
  }

  protected stopReading(): void {
    if (!this.isGone) this.#socket.pause()
  }

  protected startReading(): void {
    if (!this.isGone && this.#then !== 'aborted') this.#socket.resume()
  }

  // What the listener's handlers call.

  onData(chunk: Uint8Array): void {
    if (this.#then !== 'aborted') this.received(chunk)
  }

  onDrain(): void {
    if (this.#rest) {
      const rest = this.#rest
      this.#rest = undefined
      if (!this.#write(rest)) return
    }
    if (this.#then === 'aborted') return void this.#breakBehind()
    if (this.#then === 'ended') this.#shutdown()
    this.drained()
  }

  onEnd(): void {
    this.ended()
    if (this.#then === 'ended' && !this.#rest && !this.isGone) this.#socket.end()
  }

  onClose(error?: Error): void {
    clearTimeout(this.#limit)
    clearTimeout(this.#look)
    // A write that failed may have taken the error for itself: who leaves with something untaken has broken off.
    const broken = error !== undefined || this.#rest !== undefined || this.#then !== 'ended'
    // After our own end, Bun tells the peer's as a close without an error.
    if (!broken) this.ended()
    this.over(broken)
  }

  #write(chunk: Uint8Array): boolean {
    const written = this.#socket.write(chunk)
    // The peer takes nothing more, which its close tells once what it has said is read: the chunk is lost.
    if (written < 0 || written === chunk.length) return true
    this.#rest = chunk.subarray(written)
    return false
  }

  /** Breaks it as soon as the peer has what the kernel has of ours: a reset throws away the rest. */
  #breakBehind(): void {
    if (this.isGone) return
    if (undelivered(descriptorOf(this.#socket)) === 0) return void this.#break()
    this.#look = setTimeout(() => this.#breakBehind(), lookAgainMs)
  }

  #break(): void {
    if (!this.isGone) this.#socket.terminate()
  }

  #shutdown(): void {
    if (this.peerEnded) this.#socket.end()
    else this.#socket.shutdown()
  }
}

/** Bun's sockets have it, its types do not. */
const descriptorOf = (socket: Socket<unknown> & { fd?: number }) => socket.fd ?? -1

/** How often the kernel is asked what of ours it has left. Milliseconds. */
const lookAgainMs = 50

/** What Bun.listen and Bun.connect call, for sockets whose data is a BunConn. */
export const connEvents = {
  data: (socket, chunk) => socket.data.onData(chunk),
  drain: socket => socket.data.onDrain(),
  end: socket => socket.data.onEnd(),
  // A connection that never opened has no connection yet.
  close: (socket, error) => socket.data?.onClose(error),
  error() {},
} satisfies SocketHandler<BunConn>
