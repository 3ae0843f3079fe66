import type { Cancellation } from '../net/cancellation.ts'
import { CodedError } from '../net/coded-error.ts'
import type { ConnHandlers, Detach } from '../net/conn.ts'
import { endLimit, startLimit, type TimeLimit } from '../net/time-limit.ts'
import type { QuicStream } from '../quic/stream.ts'
import { HeaderReader } from './frames/reader.ts'
import { decodeReply, type Reply, replyLength } from './frames/reply.ts'
import { encodeRequest, type Request } from './frames/request.ts'

/** The exit's own limit for a dial is 10 s; past this it is not the target that is slow. Milliseconds. */
export const replyLimitMs = 15_000

export type ExitLostCode =
  /** The stream ended without a reply. */
  'E_EXIT_LOST' | 'E_EXIT_REPLY_TIMEOUT' | 'E_EXIT_REPLY_MALFORMED'

/** There is no reply: the exit went away, is too slow, or is no exit. */
export class ExitLostError extends CodedError<ExitLostCode> {
  override name = 'ExitLostError'
}

/**
 * Asks the exit for a connection, an association or a measurement over this stream. Resolves with its reply, good or bad; rejects
 * with an ExitLostError when there is none, or with the signal's reason. The stream, and what follows the reply, are the
 * caller's then.
 */
export function tunnelTo(stream: QuicStream, request: Request, signal: Cancellation): Promise<Reply> {
  return new Promise((resolve, reject) => new Opening(stream, request, signal, resolve, reject))
}

// --- internal ---

/** A stream whose reply is waited for. */
class Opening implements ConnHandlers {
  readonly #stream: QuicStream
  readonly #signal: Cancellation
  readonly #resolve: (reply: Reply) => void
  readonly #reject: (error: unknown) => void
  readonly #reader = new HeaderReader(replyLength)
  readonly #limit: TimeLimit
  readonly #detach: Detach
  readonly #gone = () => this.#fail(this.#signal.reason)

  constructor(
    stream: QuicStream,
    request: Request,
    signal: Cancellation,
    resolve: (reply: Reply) => void,
    reject: (error: unknown) => void,
  ) {
    this.#stream = stream
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    this.#limit = startLimit(replyLimitMs, () =>
      this.#lost('E_EXIT_REPLY_TIMEOUT', `the exit did not reply within ${replyLimitMs / 1000} s`),
    )
    this.#detach = stream.attach(this)
    signal.addEventListener('abort', this.#gone)
    if (signal.aborted) this.#gone()
    else stream.write(encodeRequest(request))
  }

  data(chunk: Uint8Array): void {
    try {
      const read = this.#reader.push(chunk)
      if (!read) return
      const reply = decodeReply(read.header)
      this.#letGo(read.rest)
      this.#resolve(reply)
    } catch {
      this.#lost('E_EXIT_REPLY_MALFORMED', 'the exit sent something that is no reply')
    }
  }

  end(): void {
    this.#lost('E_EXIT_LOST', 'the exit ended the stream')
  }

  drain(): void {}

  close(): void {
    this.#lost('E_EXIT_LOST', 'the exit was lost')
  }

  #letGo(rest?: Uint8Array): void {
    endLimit(this.#limit)
    this.#signal.removeEventListener('abort', this.#gone)
    this.#detach(rest)
  }

  #fail(error: unknown): void {
    this.#letGo()
    this.#stream.abort(0)
    this.#reject(error)
  }

  #lost(code: ExitLostCode, message: string): void {
    this.#fail(new ExitLostError(code, message))
  }
}
