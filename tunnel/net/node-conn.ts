import { Socket, type SocketConstructorOpts } from 'node:net'
import { defaultLingerMs, keepAliveMs } from './conn.ts'
import { OwnedConn } from './owned-conn.ts'
import { keep, readBufferFor } from './read-buffer.ts'

/**
 * A TCP connection by node:net, reading without an allocation per read, and writing with the kernel's word on what it
 * took. Who keeps a chunk of one, as `write` does, keeps a copy (`keep`): the next read comes into the same buffer.
 */
export class NodeConn extends OwnedConn {
  readonly socket: Socket = new TargetSocket(
    chunk => this.#onRead(chunk),
    () => this.#onRefused(),
  )
  /** The peer takes nothing more. What it said before can still be read. */
  #refused = false
  #aborted = false
  #limit: ReturnType<typeof setTimeout> | undefined

  constructor() {
    super()
    open++
    const { socket } = this
    socket.on('end', () => this.#onEnd())
    socket.on('drain', () => (this.#aborted ? this.#reset() : this.drained()))
    // The close that follows tells it.
    socket.on('error', () => {})
    socket.on('close', failed => {
      open--
      clearTimeout(this.#limit)
      this.over(failed || this.#refused || this.#aborted || !this.peerEnded)
    })
  }

  get full(): boolean {
    return this.socket.writableLength > 0
  }

  write(chunk: Uint8Array): boolean {
    if (this.isGone || this.#refused || this.#aborted || this.socket.writableEnded) return true
    this.socket.write(keep(chunk))
    // Node tries the system call at once: with nothing left to write, the buffer is free again.
    return !this.full
  }

  end(): void {
    if (!this.#aborted) this.socket.end()
  }

  abort(lingerMs = defaultLingerMs): void {
    if (this.isGone) return
    this.#aborted = true
    this.pause()
    clearTimeout(this.#limit)
    if (lingerMs <= 0 || !this.full) return void this.#reset()
    this.#limit = setTimeout(() => this.#reset(), lingerMs)
    this.#limit.unref()
  }

  protected stopReading(): void {
    this.socket.pause()
  }

  protected startReading(): void {
    if (!this.#aborted) this.socket.resume()
  }

  #onRead(chunk: Buffer): void {
    if (!this.#aborted) this.received(this.flowing ? chunk : keep(chunk))
  }

  #onEnd(): void {
    // Up to Node 22, a reset that comes along with bytes is told as an end. A write of nothing knows better.
    if (!this.socket.writableEnded) this.socket.write(nothing)
    if (this.#refused) this.#reset()
    else this.ended()
  }

  #onRefused(): void {
    this.#refused = true
    if (this.peerEnded || this.#aborted) this.#reset()
  }

  #reset(): void {
    this.socket.resetAndDestroy()
  }
}

// --- internal ---

const nothing = new Uint8Array()

/** Sockets that are not closed. */
let open = 0

type Written = (error?: Error | null) => void

/** A socket that goes on reading when the peer takes nothing more. */
class TargetSocket extends Socket {
  readonly #onRefused: () => void

  constructor(onRead: (chunk: Buffer) => void, onRefused: () => void) {
    // Duplex's own option, which the types leave out.
    const options: SocketConstructorOpts & { writableHighWaterMark: number } = {
      allowHalfOpen: true,
      // 'drain' comes only after a write that reached this mark: any chunk that had to wait is to be told of.
      writableHighWaterMark: 1,
      onread: {
        buffer: readBufferFor(open),
        callback(length, buffer) {
          onRead(buffer.subarray(0, length) as Buffer)
          return true
        },
      },
    }
    super(options)
    this.#onRefused = onRefused
    this.setNoDelay()
    this.setKeepAlive(true, keepAliveMs)
  }

  override _write(chunk: unknown, encoding: BufferEncoding, written: Written): void {
    super._write(chunk, encoding, this.#told(written))
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], written: Written): void {
    super._writev?.(chunks, this.#told(written))
  }

  override _final(done: Written): void {
    super._final(this.#told(done))
  }

  /** An error that reached node:stream would close the socket, with all that is still to be read. */
  #told(done: Written): Written {
    return error => {
      if (error) this.#onRefused()
      done()
    }
  }
}
