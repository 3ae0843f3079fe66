import { spellings } from '../../input/proxy-variables.ts'
import { explained } from '../../input/system-error.ts'
import type { Session } from '../fleet/launch.ts'
import { startProxy } from '../proxy.ts'
import { createEvents } from '../stats/events.ts'
import { SpeedtestError, type Transfer, transfer } from './measure.ts'

/** A finished download, or what of it fitted into its time. */
export interface Fetched extends Transfer {
  status: number
  firstByteMs: number
  complete: boolean
}

export interface Comparison {
  url: string
  direct: Fetched | { error: string }
  tunnel: Fetched | { error: string }
}

/** A URL that was asked for this long without an answer does not answer. Milliseconds. */
const answerLimitMs = 20_000

/** Fetches a URL directly, then as an application would through the session, each for `seconds` at most. */
export async function compare(
  session: Session,
  url: string,
  { seconds, signal }: { seconds: number; signal: AbortSignal },
): Promise<Comparison> {
  // Direct means without a proxy that the environment names.
  for (const name of spellings) delete process.env[name]
  const proxy = startProxy({
    listeners: [{ scheme: 'http', host: '127.0.0.1', port: 0 }],
    exits: { select: async () => session, full() {}, mayReuse: () => true },
    events: createEvents(),
  })
  const attempt = (options: { proxy?: string }) =>
    fetchFor(url, seconds, signal, options).catch((error: unknown) => {
      signal.throwIfAborted()
      return { error: explained(error).message }
    })
  try {
    const direct = await attempt({})
    const tunnel = await attempt({ proxy: `http://127.0.0.1:${proxy.listeners[0]!.port}` })
    return { url, direct, tunnel }
  } finally {
    await proxy.close()
  }
}

// --- internal ---

async function fetchFor(
  url: string,
  seconds: number,
  signal: AbortSignal,
  options: { proxy?: string },
): Promise<Fetched> {
  const late = new AbortController()
  const tooLate = new SpeedtestError('E_SPEEDTEST_TIMEOUT', `no answer within ${answerLimitMs / 1000} s`)
  const limit = setTimeout(() => late.abort(tooLate), answerLimitMs)
  // Compression would distort the measured rate.
  const headers = { 'accept-encoding': 'identity' }
  const started = performance.now()
  try {
    const response = await fetch(url, {
      ...options,
      headers,
      signal: AbortSignal.any([signal, late.signal]),
    })
    clearTimeout(limit)
    const answered = performance.now()
    const { bytes, complete } = await readFor(response, seconds)
    const ms = performance.now() - answered
    return { status: response.status, firstByteMs: answered - started, complete, ...transfer(bytes, ms) }
  } finally {
    clearTimeout(limit)
    late.abort()
  }
}

/** Reads a body to its end, or until its time is up. */
async function readFor({ body }: Response, seconds: number): Promise<{ bytes: number; complete: boolean }> {
  const reader = body?.getReader()
  let bytes = 0
  let complete = true
  const end = setTimeout(() => {
    complete = false
    void reader?.cancel()
  }, seconds * 1000)
  try {
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read())
      bytes += part.value.length
    return { bytes, complete }
  } finally {
    clearTimeout(end)
  }
}
