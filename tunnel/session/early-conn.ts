import type { Cancellation } from '../net/cancellation.ts'
import type { Conn, ConnHandlers, Detach } from '../net/conn.ts'
import { endLimit, startLimit, type TimeLimit } from '../net/time-limit.ts'
import { HeaderReader } from './frames/reader.ts'
import { decodeReply, type Reply, reply, replyLength } from './frames/reply.ts'
import { encodeRequest, type Request } from './frames/request.ts'
import { type ExitLostCode, ExitLostError, replyLimitMs } from './open-stream.ts'

/**
 * A connection to a target that is used before the exit has replied: what is written goes behind the request, and is
 * there when the exit has dialled. That saves a round trip. A refusal is then a break, and what it was, `reply` says.
 */
export class EarlyConn implements Conn {
  readonly gone: Cancellation
  /** The exit's reply, good or bad; rejects with an ExitLostError when there is none. Never settles after an `abort`. */
  readonly reply: Promise<Reply>
  readonly #stream: Conn
  readonly #reader = new HeaderReader(replyLength)
  readonly #settled = Promise.withResolvers<Reply>()
  readonly #limit: TimeLimit
  #accepted = false
  /** Nobody waits for a reply any more. */
  #over = false

  /** Sends the request over a stream that nobody owns. */
  constructor(stream: Conn, request: Request) {
    this.#stream = stream
    this.gone = stream.gone
    this.reply = this.#settled.promise
    // Whoever does not ask need not hear of it.
    this.reply.catch(() => {})
    const seconds = replyLimitMs / 1000
    this.#limit = startLimit(replyLimitMs, () =>
      this.#lose('E_EXIT_REPLY_TIMEOUT', `the exit did not reply within ${seconds} s`),
    )
    const lost = () => this.#lose('E_EXIT_LOST', 'the exit was lost')
    if (this.gone.aborted) lost()
    else this.gone.addEventListener('abort', lost, { once: true })
    stream.write(encodeRequest(request))
  }

  get full(): boolean {
    return this.#stream.full
  }

  attach(handlers: ConnHandlers): Detach {
    return this.#stream.attach({
      data: chunk => {
        const bytes = this.#accepted ? chunk : this.#readReply(chunk)
        if (bytes && bytes.length > 0) handlers.data(bytes)
      },
      end: () => {
        if (this.#accepted) handlers.end()
        else this.#lose('E_EXIT_LOST', 'the exit ended the stream')
      },
      drain: () => handlers.drain(),
      close: broken => handlers.close(broken || !this.#accepted),
    })
  }

  write(chunk: Uint8Array): boolean {
    return this.#stream.write(chunk)
  }

  end(): void {
    this.#stream.end()
  }

  abort(lingerMs?: number): void {
    this.#over = true
    endLimit(this.#limit)
    this.#stream.abort(lingerMs)
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  /** What follows the reply in this chunk, once it is there and good. */
  #readReply(chunk: Uint8Array): Uint8Array | undefined {
    try {
      const read = this.#reader.push(chunk)
      if (!read) return undefined
      const answer = decodeReply(read.header)
      this.#accepted = answer.code === reply.succeeded
      endLimit(this.#limit)
      this.#settled.resolve(answer)
      if (this.#accepted) return read.rest
      this.#over = true
      this.#stream.abort(0)
    } catch {
      this.#lose('E_EXIT_REPLY_MALFORMED', 'the exit sent something that is no reply')
    }
    return undefined
  }

  #lose(code: ExitLostCode, message: string): void {
    endLimit(this.#limit)
    if (this.#accepted || this.#over) return
    this.#over = true
    this.#settled.reject(new ExitLostError(code, message))
    this.#stream.abort(0)
  }
}
