import { Duplex } from 'node:stream'
import type { Conn } from '../../../../tunnel/net/conn.ts'

/**
 * A connection as node:http takes it: what the connection is given is read from the stream, and what is written
 * to the stream comes out of the connection. It has the methods of a socket that node:http calls.
 */
export class ConnDuplex extends Duplex {
  /** The end that a relay or a splice holds. */
  readonly conn: Conn = {
    onData() {},
    onEnd() {},
    onDrain() {},
    onClose() {},
    write: chunk => {
      if (this.destroyed) return true
      this.#active()
      // A copy: the relay's buffers are used again.
      if (this.push(Buffer.from(chunk))) return true
      this.#full = true
      return false
    },
    end: () => {
      if (!this.destroyed) this.push(null)
    },
    abort: () => void this.destroy(),
    pause: () => {
      this.#paused = true
    },
    resume: () => {
      this.#paused = false
      const written = this.#written
      this.#written = undefined
      written?.()
    },
  }

  #full = false
  #paused = false
  #ended = false
  #written: (() => void) | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Emits 'timeout' after this many milliseconds without a byte in either direction; 0: never. */
  setTimeout(ms: number, listener?: () => void): this {
    clearTimeout(this.#timer)
    this.#timer = ms > 0 && !this.destroyed ? setTimeout(() => this.emit('timeout'), ms) : undefined
    if (listener) this.once('timeout', listener)
    return this
  }

  /** Ends, and lets go when what was written is out. */
  destroySoon(): void {
    this.end(() => this.destroy())
  }

  // There is no socket of its own to tune.
  setNoDelay = (): this => this
  setKeepAlive = (): this => this
  ref = (): this => this
  unref = (): this => this

  constructor() {
    super({ decodeStrings: false })
  }

  override _read(): void {
    if (!this.#full) return
    this.#full = false
    this.conn.onDrain()
  }

  override _write(chunk: Buffer | string, _encoding: BufferEncoding, written: () => void): void {
    this.#active()
    // What is text here are the fields of a message: read as Latin-1, they are written as that.
    this.conn.onData(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk)
    if (this.#paused) this.#written = written
    else written()
  }

  override _final(done: () => void): void {
    this.#ended = true
    this.conn.onEnd()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#timer)
    // Who has read everything and lets go has ended, if only without saying so.
    if (!error && this.readableEnded && !this.#ended) this.conn.onEnd()
    this.conn.onClose()
    done(error)
  }

  #active(): void {
    this.#timer?.refresh()
  }
}
