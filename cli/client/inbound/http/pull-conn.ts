import { CodedError } from '../../../../tunnel/net/coded-error.ts'
import type { Conn, Detach } from '../../../../tunnel/net/conn.ts'

/** The connection broke before what was to be read had come. */
export class BrokenError extends CodedError<'E_CONN_BROKEN'> {
  override name = 'BrokenError'
  constructor() {
    super('E_CONN_BROKEN', 'the connection broke')
  }
}

/**
 * A connection that is read chunk by chunk, by whoever asks: nothing more is taken from it before the next chunk is
 * asked for. One reader and one writer at a time.
 */
export class PullConn {
  readonly conn: Conn
  readonly #detach: Detach
  #kept: Uint8Array | undefined
  #ended = false
  #broken = false
  #reader: ReturnType<typeof Promise.withResolvers<Uint8Array | undefined>> | undefined
  #writer: (() => void) | undefined
  #onUnasked: (() => void) | undefined

  /** Takes a connection that nobody owns. */
  constructor(conn: Conn) {
    this.conn = conn
    // While nobody reads, the close is not told, and the drain never comes.
    conn.gone.addEventListener('abort', () => this.#mayWrite(), { once: true })
    this.#detach = conn.attach({
      data: chunk => {
        conn.pause()
        if (this.#reader) this.#answer(chunk)
        else {
          this.#kept = chunk
          this.#onUnasked?.()
        }
      },
      end: () => {
        this.#ended = true
        if (this.#reader) this.#answer(undefined)
        else this.#onUnasked?.()
      },
      drain: () => this.#mayWrite(),
      close: broken => {
        this.#ended = true
        this.#broken = broken
        const reader = this.#reader
        this.#reader = undefined
        if (broken) reader?.reject(new BrokenError())
        else reader?.resolve(undefined)
        if (!reader) this.#onUnasked?.()
      },
    })
  }

  /** There is something to be read at once: bytes, the end, or a break. */
  get isReadable(): boolean {
    return this.#kept !== undefined || this.#ended
  }

  /** The other side sends nothing more, beyond what is still to be read. */
  get hasEnded(): boolean {
    return this.#ended
  }

  /**
   * Listens while nobody reads: bytes, an end or a break that nobody asked for are told. Undefined: they may wait for
   * the next read.
   */
  watch(onUnasked: (() => void) | undefined): void {
    this.#onUnasked = onUnasked
    if (onUnasked) this.conn.resume()
  }

  /** The next chunk, lent until the next read; undefined at the end. Rejects with a BrokenError. */
  read(): Promise<Uint8Array | undefined> {
    const kept = this.#kept
    this.#kept = undefined
    if (kept) return Promise.resolve(kept)
    if (this.#broken) return Promise.reject(new BrokenError())
    if (this.#ended) return Promise.resolve(undefined)
    this.#reader = Promise.withResolvers()
    const { promise } = this.#reader
    this.conn.resume()
    return promise
  }

  /** Puts back what was read too far: of the last chunk, before the next read. */
  unread(rest: Uint8Array): void {
    if (rest.length > 0) this.#kept = rest
  }

  /** Resolves when there is room again for more, or nobody left to take it. The bytes must stay until then. */
  write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0 || this.conn.write(bytes) || this.conn.gone.aborted) return Promise.resolve()
    return new Promise(resolve => {
      this.#writer = resolve
    })
  }

  /** Lets go of the connection, with what was read of it and not used. */
  release(): Conn {
    const rest = this.#kept
    this.#kept = undefined
    this.#detach(rest)
    return this.conn
  }

  #answer(chunk: Uint8Array | undefined): void {
    const reader = this.#reader
    this.#reader = undefined
    reader?.resolve(chunk)
  }

  #mayWrite(): void {
    const writer = this.#writer
    this.#writer = undefined
    writer?.()
  }
}
