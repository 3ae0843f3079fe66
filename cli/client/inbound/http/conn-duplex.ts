import { Duplex } from 'node:stream'
import type { Conn } from '../../../../tunnel/net/conn.ts'
import { OwnedConn } from '../../../../tunnel/net/owned-conn.ts'

/**
 * A connection as node:http takes it: what the connection is given is read from the stream, and what is written
 * to the stream comes out of the connection. It has the methods of a socket that node:http calls.
 */
export class ConnDuplex extends Duplex {
  readonly #far = new FarEnd({
    push: chunk => {
      this.#active()
      return this.destroyed || this.push(chunk)
    },
    destroy: () => void this.destroy(),
  })
  /** The end that a relay holds. */
  readonly conn: Conn = this.#far
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
    this.#far.onRead()
  }

  override _write(chunk: Buffer | string, _encoding: BufferEncoding, written: () => void): void {
    this.#active()
    // What is text here are the fields of a message: read as Latin-1, they are written as that.
    this.#far.onWrite(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk, written)
  }

  override _final(done: () => void): void {
    this.#far.onEnd()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#timer)
    // Who has read everything and lets go has ended, if only without saying so.
    if (!error && this.readableEnded) this.#far.onEnd()
    this.#far.onDestroy(error !== null)
    done(error)
  }

  #active(): void {
    this.#timer?.refresh()
  }
}

// --- internal ---

/** What the far end does to the stream. */
interface NearEnd {
  /** Takes a chunk, or null for the end; false when it wants no more for now. */
  push(chunk: Uint8Array | null): boolean
  destroy(): void
}

class FarEnd extends OwnedConn {
  full = false
  readonly #near: NearEnd
  /** The stream's word for the chunk that is being kept. */
  #written: (() => void) | undefined

  constructor(near: NearEnd) {
    super()
    this.#near = near
  }

  write(chunk: Uint8Array): boolean {
    // A copy: the relay's buffers are used again.
    this.full = !this.#near.push(Buffer.from(chunk))
    return !this.full
  }

  end(): void {
    if (!this.isGone) this.#near.push(null)
  }

  abort(): void {
    this.#near.destroy()
  }

  onRead(): void {
    if (!this.full) return
    this.full = false
    this.drained()
  }

  onWrite(chunk: Uint8Array, written: () => void): void {
    this.received(chunk)
    if (this.flowing) written()
    else this.#written = written
  }

  onEnd(): void {
    this.ended()
  }

  onDestroy(broken: boolean): void {
    this.over(broken || !this.peerEnded)
  }

  protected stopReading(): void {}

  protected startReading(): void {
    const written = this.#written
    this.#written = undefined
    written?.()
  }
}
