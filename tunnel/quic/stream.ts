import { type QuicheConnection, shutdownRead, shutdownWrite } from './binding.ts'

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly quiche: QuicheConnection
  /** Bytes that the streams may hand over before what they have handed over is sent. */
  room: number
  /** There is something to send: run the loop once this turn. */
  wake(): void
  /** There is something to send that may wait for a moment. */
  later(): void
  /** There is more to read: run the loop again. */
  again(): void
  /** An end waits to be sent, and must be before anything more is heard or read. */
  hurry(): void
  /** Call `stream.onWritable` when the stream may take more. */
  block(stream: QuicStream): void
  /** Both directions are over. */
  forget(stream: QuicStream): void
}

/**
 * A bidirectional QUIC stream. Nothing is buffered here: `read` takes what has arrived, `write` hands
 * over what the connection will take, and the callbacks say when to try again. After `onAborted`
 * nothing more happens on it.
 */
export class QuicStream {
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
  /** Bytes that the connection has taken. */
  written = 0
  /** The last write was not taken whole. */
  blocked = false
  /** The peer's end was told in another way than by quiche. */
  #endTold = false
  /** Ticks for which an end was awaited and nothing came. */
  #quietTicks = 0

  constructor(
    readonly id: number,
    readonly host: StreamHost,
  ) {}

  /** Reads into `buffer`: the number of bytes, 0 when there is nothing now or the end was reached (`readEnded`). */
  read(buffer: Uint8Array): number {
    if (this.readEnded || this.aborted) return 0
    try {
      const result = this.host.quiche.streamRecv(this.id, buffer)
      if (!result) return 0
      const [length, fin] = result
      this.heard = true
      this.#quietTicks = 0
      // What was read opens the peer's window: the update must be sent even if nothing else is.
      this.host.later()
      if (fin) {
        this.readEnded = true
        this.#settle()
      }
      return length
    } catch {
      this.abort()
      return 0
    }
  }

  /**
   * Looks whether the peer's end has come unnoticed: of one that comes along with bytes sent again, all of
   * which were here already, quiche 0.18 says nothing.
   */
  lookForEnd(): void {
    const { quiche } = this.host
    if (!this.heard || this.readEnded || this.aborted) return
    // What is readable, an abort too, is told in the ordinary way.
    if (quiche.streamReadable(this.id) || !(this.#endTold || quiche.streamFinished(this.id))) return
    this.readEnded = true
    this.#settle()
    this.onReadable()
  }

  /**
   * Whether the peer should be asked if it has ended: only who has our end can have forgotten the stream, and
   * its own with it. True after a second of silence, then after twice as long each time, up to a minute.
   */
  isOverdue(): boolean {
    if (!this.heard || !this.writeEnded || this.readEnded || this.aborted) return false
    const ticks = ++this.#quietTicks
    return ticks >= firstAskTicks && (isPowerOfTwo(ticks) || ticks % lastAskTicks === 0)
  }

  /** The peer has ended, and all that it sent is here: what is not read yet is still read first. */
  endAfterRest(): void {
    this.#endTold = true
    this.lookForEnd()
  }

  /** Sends what the connection takes now and gives the number of bytes; when it is not all, `onWritable` follows. */
  write(chunk: Uint8Array): number {
    if (this.writeEnded || this.aborted) return chunk.length
    const { host } = this
    try {
      const taken = host.room > 0 ? (host.quiche.streamSend(this.id, chunk, false) ?? 0) : 0
      // With nothing taken there is nothing to send: waking for it would keep a blocked stream spinning.
      if (taken > 0) host.wake()
      this.written += taken
      host.room -= taken
      this.blocked = taken < chunk.length
      if (this.blocked) host.block(this)
      return taken
    } catch {
      this.abort()
      return chunk.length
    }
  }

  /** Ends our direction; what the peer still sends goes on arriving. */
  end(): void {
    if (this.writeEnded || this.aborted) return
    this.writeEnded = true
    try {
      this.host.quiche.streamSend(this.id, new Uint8Array(), true)
    } catch {
      // The peer refused the stream already; the read side tells.
    }
    this.host.hurry()
    this.#settle()
  }

  /** Gives up both directions at once: RESET_STREAM and STOP_SENDING (RFC 9000, sections 19.4 and 19.5). */
  abort(code = 0): void {
    if (this.aborted) return
    const over = this.readEnded && this.writeEnded
    this.aborted = true
    if (over) return
    for (const direction of [shutdownWrite, shutdownRead]) {
      try {
        this.host.quiche.streamShutdown(this.id, direction, code)
      } catch {
        // That direction is over already.
      }
    }
    this.host.wake()
    this.host.forget(this)
    this.onAborted()
  }

  /** The connection is gone: like an abort, with nobody left to tell. */
  lost(): void {
    if (this.aborted) return
    this.aborted = true
    this.onAborted()
  }

  #settle(): void {
    if (this.readEnded && this.writeEnded) this.host.forget(this)
  }
}

/** Ticks are a quarter of a second. */
const firstAskTicks = 4
const lastAskTicks = 256
const isPowerOfTwo = (n: number) => (n & (n - 1)) === 0
