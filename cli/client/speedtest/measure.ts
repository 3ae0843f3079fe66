import { CodedError } from '../../../tunnel/net/coded-error.ts'
import type { ConnHandlers } from '../../../tunnel/net/conn.ts'
import type { QuicConnection } from '../../../tunnel/quic/connection.ts'
import type { QuicStream } from '../../../tunnel/quic/stream.ts'
import { reply } from '../../../tunnel/session/frames/reply.ts'
import type { Command } from '../../../tunnel/session/frames/request.ts'
import { tunnelTo } from '../../../tunnel/session/open-stream.ts'

// What the tunnel itself can do: the exit is the server, and nothing behind it takes part.

/** Round trips of one byte, in milliseconds. */
export interface Latency {
  medianMs: number
  p95Ms: number
  samples: number
}

export interface Transfer {
  bytes: number
  ms: number
  bitsPerSecond: number
}

export interface TransferOptions {
  /** How long it goes on. */
  seconds: number
  signal: AbortSignal
  /** Called now and then with all bytes so far. */
  onProgress?: (bytes: number, ms: number) => void
}

/** A measurement could not be completed. */
export class SpeedtestError extends CodedError<'E_SPEEDTEST_TIMEOUT' | 'E_EXIT_OUTDATED' | 'E_EXIT_LOST'> {
  override readonly name = 'SpeedtestError'
}

/** More than any line carries within a test. Bytes. */
const plenty = 8 * 1024 ** 3
const progressMs = 100
/** What is on its way when an upload's time is up has this long to arrive. Milliseconds. */
const drainLimitMs = 15_000

/** Sends a byte and waits for it, again and again: so many times, or as often as `seconds` allow. */
export async function measureLatency(
  connection: QuicConnection,
  { times, seconds, signal }: { times: number; seconds: number; signal: AbortSignal },
): Promise<Latency> {
  const stream = await serviceOf(connection, 'echo', 'echo', signal)
  const byte = new Uint8Array(1)
  const trips: number[] = []
  return during(stream, signal, (done, fail) => {
    const limit = setTimeout(
      () =>
        trips.length > 0
          ? done(latency(trips))
          : fail(new SpeedtestError('E_SPEEDTEST_TIMEOUT', `no echo came within ${seconds} s`)),
      seconds * 1000,
    )
    let sentAt = 0
    const send = () => {
      sentAt = performance.now()
      stream.write(byte)
    }
    send()
    return {
      data() {
        trips.push(performance.now() - sentAt)
        if (trips.length >= times) done(latency(trips))
        else send()
      },
      release: () => clearTimeout(limit),
    }
  })
}

/** Takes what the exit sends, as fast as it comes. */
export async function measureDownload(
  connection: QuicConnection,
  { seconds, signal, onProgress = () => {} }: TransferOptions,
): Promise<Transfer> {
  const stream = await serviceOf(connection, 'chargen', String(plenty), signal)
  const started = performance.now()
  let bytes = 0
  return during(stream, signal, done => {
    const finish = () => done(transfer(bytes, performance.now() - started))
    const limit = setTimeout(finish, seconds * 1000)
    const ticker = setInterval(() => onProgress(bytes, performance.now() - started), progressMs)
    return {
      data(chunk) {
        bytes += chunk.length
      },
      end: finish,
      release() {
        clearTimeout(limit)
        clearInterval(ticker)
      },
    }
  })
}

/** Sends as fast as the exit takes it; done when it has all. */
export async function measureUpload(
  connection: QuicConnection,
  { seconds, signal, onProgress = () => {} }: TransferOptions,
): Promise<Transfer> {
  const stream = await serviceOf(connection, 'discard', 'discard', signal)
  const chunk = new Uint8Array(64 * 1024)
  const started = performance.now()
  const elapsed = () => performance.now() - started
  let bytes = 0
  return during(stream, signal, (done, fail) => {
    let sending = true
    let timer = setTimeout(end, seconds * 1000)
    const ticker = setInterval(() => onProgress(bytes, elapsed()), progressMs)
    function end() {
      sending = false
      stream.end()
      timer = setTimeout(
        () =>
          fail(
            new SpeedtestError(
              'E_SPEEDTEST_TIMEOUT',
              `the exit did not take what was sent within ${drainLimitMs / 1000} s`,
            ),
          ),
        drainLimitMs,
      )
    }
    const send = () => {
      while (sending && !stream.full) {
        stream.write(chunk)
        bytes += chunk.length
      }
    }
    send()
    return {
      drain: send,
      end: () => done(transfer(bytes, elapsed())),
      release() {
        clearTimeout(timer)
        clearInterval(ticker)
      },
    }
  })
}

/** The value that this share of the values does not exceed (nearest rank); the values in any order. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** Bytes in milliseconds, as a rate. */
export const transfer = (bytes: number, ms: number): Transfer => ({
  bytes,
  ms,
  bitsPerSecond: ms > 0 ? (bytes * 8_000) / ms : 0,
})

// --- internal ---

const latency = (trips: number[]): Latency => ({
  medianMs: percentile(trips, 0.5),
  p95Ms: percentile(trips, 0.95),
  samples: trips.length,
})

async function serviceOf(
  connection: QuicConnection,
  command: Command,
  host: string,
  signal: AbortSignal,
): Promise<QuicStream> {
  const stream = connection.open()
  const { code } = await tunnelTo(stream, { command, target: { host, port: 0 } }, signal)
  if (code === reply.succeeded) return stream
  stream.abort(0)
  throw new SpeedtestError('E_EXIT_OUTDATED', `the exit does not serve measurements (SOCKS reply ${code})`)
}

/** What a measurement hears of its stream, and how it is tidied up. */
interface Measurement extends Partial<ConnHandlers> {
  release(): void
}

/** Runs until `done`, `fail`, the loss of the stream or the signal; the stream is given up then. */
function during<T>(
  stream: QuicStream,
  signal: AbortSignal,
  begin: (done: (result: T) => void, fail: (error: unknown) => void) => Measurement,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const stop = () => reject(signal.reason)
  signal.addEventListener('abort', stop)
  const { release, ...handlers } = begin(resolve, reject)
  const detach = stream.attach({
    data() {},
    end() {},
    drain() {},
    close: () => reject(new SpeedtestError('E_EXIT_LOST', 'the exit was lost')),
    ...handlers,
  })
  return promise.finally(() => {
    release()
    signal.removeEventListener('abort', stop)
    detach()
    stream.abort(0)
  })
}
