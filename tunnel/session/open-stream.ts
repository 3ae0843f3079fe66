import type { Cancellation } from '../net/cancellation.ts'
import { CodedError } from '../net/coded-error.ts'
import { endLimit, startLimit } from '../net/time-limit.ts'
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
  return new Promise((resolve, reject) => {
    const reader = new HeaderReader(replyLength)
    const letGo = (rest?: Uint8Array) => {
      endLimit(limit)
      signal.removeEventListener('abort', gone)
      detach(rest)
    }
    const fail = (error: unknown) => {
      letGo()
      stream.abort(0)
      reject(error)
    }
    const gone = () => fail(signal.reason)
    const lost = (code: ExitLostCode, message: string) => fail(new ExitLostError(code, message))
    const limit = startLimit(replyLimitMs, () =>
      lost('E_EXIT_REPLY_TIMEOUT', `the exit did not reply within ${replyLimitMs / 1000} s`),
    )
    const detach = stream.attach({
      data(chunk) {
        try {
          const read = reader.push(chunk)
          if (!read) return
          const reply = decodeReply(read.header)
          letGo(read.rest)
          resolve(reply)
        } catch {
          lost('E_EXIT_REPLY_MALFORMED', 'the exit sent something that is no reply')
        }
      },
      end: () => lost('E_EXIT_LOST', 'the exit ended the stream'),
      drain() {},
      close: () => lost('E_EXIT_LOST', 'the exit was lost'),
    })
    signal.addEventListener('abort', gone)
    if (signal.aborted) gone()
    else stream.write(encodeRequest(request))
  })
}
