import type { QuicStream } from '../quic/stream.ts'
import { HeaderReader } from './frames/reader.ts'
import { decodeReply, type Reply, replyLength } from './frames/reply.ts'
import { encodeRequest, type Request } from './frames/request.ts'

/** The exit's own limit for a dial is 10 s; past this it is not the target that is slow. Milliseconds. */
const replyLimitMs = 15_000

/** The stream ended without a reply: the exit went away or is too slow. */
export class ExitLostError extends Error {
  override name = 'ExitLostError'
}

/**
 * Asks the exit for a connection, an association or a measurement over this stream. Resolves with its reply, good or bad; rejects
 * with an ExitLostError when there is none, or with the signal's reason. What follows the reply is still
 * in the stream.
 */
export function tunnelTo(stream: QuicStream, request: Request, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const header = new HeaderReader(stream, replyLength)
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', gone)
      stream.onReadable = () => {}
      stream.onAborted = () => {}
    }
    const fail = (error: unknown) => {
      end()
      stream.abort()
      reject(error)
    }
    const gone = () => fail(signal.reason)
    const lost = (message: string) => fail(new ExitLostError(message))
    const timer = setTimeout(
      () => lost(`the exit did not reply within ${replyLimitMs / 1000} s`),
      replyLimitMs,
    )
    signal.addEventListener('abort', gone)
    stream.onAborted = () => lost('the exit was lost')
    stream.onReadable = () => {
      try {
        const bytes = header.read()
        if (!bytes) return stream.readEnded ? lost('the exit ended the stream') : undefined
        end()
        resolve(decodeReply(bytes))
      } catch {
        lost('the exit sent something that is no reply')
      }
    }
    const send = (bytes: Uint8Array) => {
      const rest = bytes.subarray(stream.write(bytes))
      stream.onWritable = () => rest.length > 0 && send(rest)
    }
    if (signal.aborted) gone()
    else send(encodeRequest(request))
  })
}
