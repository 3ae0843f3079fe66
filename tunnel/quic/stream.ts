import { type EngineConnection, streamEnded, streamGone } from './engine-connection.ts'

/**
 * A bidirectional QUIC stream. Nothing is buffered here: `read` takes what has arrived, `write` hands
 * over what the connection will take, and the callbacks say when to try again. After `onAborted`
 * nothing more happens on it.
 */
export class QuicStream {
  /** There is something to read. A reader goes on until it gets 0, or asks by `readLater`. */
  onReadable: () => void = () => {}
  onWritable: () => void = () => {}
  /** The peer reset or refused the stream, or the connection is gone. */
  onAborted: () => void = () => {}

  /** Everything the peer sent was read. */
  readEnded = false
  /** The end was sent, or the stream was aborted. */
  writeEnded = false
  aborted = false
  /** Something has come from the peer. */
  heard = false
  readonly #engine: EngineConnection
  readonly #forget: (stream: QuicStream) => void

  constructor(
    readonly id: number,
    engine: EngineConnection,
    /** Called once, when both directions are over. */
    forget: (stream: QuicStream) => void,
  ) {
    this.#engine = engine
    this.#forget = forget
  }

  /** Reads into `buffer`: the number of bytes, 0 when there is nothing now or the end was reached (`readEnded`). */
  read(buffer: Uint8Array): number {
    if (this.readEnded || this.aborted) return 0
    const read = this.#engine.read(this.id, buffer)
    if (read === streamGone) {
      this.abort()
      return 0
    }
    if (read !== 0) this.heard = true
    if (read !== streamEnded) return read
    this.readEnded = true
    this.#settle()
    return 0
  }

  /** Calls `onReadable` once more in the next turn of the event loop, if there is still something to read. */
  readLater(): void {
    if (!this.readEnded && !this.aborted) this.#engine.readLater(this.id)
  }

  /** Sends what the connection takes now and gives the number of bytes; when it is not all, `onWritable` follows. */
  write(chunk: Uint8Array): number {
    if (this.writeEnded || this.aborted) return chunk.length
    const taken = this.#engine.write(this.id, chunk)
    if (taken !== streamGone) return taken
    this.abort()
    return chunk.length
  }

  /** Ends our direction; what the peer still sends goes on arriving. */
  end(): void {
    if (this.writeEnded || this.aborted) return
    this.writeEnded = true
    this.#engine.finish(this.id)
    this.#settle()
  }

  /** Gives up both directions at once: RESET_STREAM and STOP_SENDING (RFC 9000, sections 19.4 and 19.5). */
  abort(code = 0): void {
    if (this.aborted) return
    const over = this.readEnded && this.writeEnded
    this.aborted = true
    if (over) return
    this.#engine.reset(this.id, code)
    this.#engine.stop(this.id, code)
    this.#forget(this)
    this.onAborted()
  }

  /** The connection is gone: like an abort, with nobody left to tell. */
  lost(): void {
    if (this.aborted) return
    this.aborted = true
    this.onAborted()
  }

  // --- internal ---

  #settle(): void {
    if (this.readEnded && this.writeEnded) this.#forget(this)
  }
}
