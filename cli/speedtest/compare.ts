import { createEvents } from '../events.ts'
import type { Session } from '../fleet/launch.ts'
import { startProxy } from '../proxy/proxy.ts'
import { spellings } from '../proxy-variables.ts'
import { type Transfer, transfer } from './measure.ts'

/** What became of a download; cut off where its time was up. */
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
  // Direct is without the proxy that this shell may be set up for.
  for (const name of spellings) delete process.env[name]
  const proxy = startProxy({
    listeners: [{ scheme: 'http', host: '127.0.0.1', port: 0 }],
    exits: { pick: async () => session },
    events: createEvents(),
  })
  const attempt = (options: { proxy?: string }) =>
    fetchFor(url, seconds, signal, options).catch((error: unknown) => {
      signal.throwIfAborted()
      return { error: error instanceof Error ? error.message : String(error) }
    })
  try {
    const direct = await attempt({})
    const tunnel = await attempt({ proxy: `http://127.0.0.1:${proxy.listeners[0]!.port}` })
    return { url, direct, tunnel }
  } finally {
    proxy.close()
  }
}

// --- internal ---

async function fetchFor(
  url: string,
  seconds: number,
  signal: AbortSignal,
  options: { proxy?: string },
): Promise<Fetched> {
  const started = performance.now()
  const late = new AbortController()
  const limit = setTimeout(
    () => late.abort(new Error(`no answer within ${answerLimitMs / 1000} s`)),
    answerLimitMs,
  )
  // Compressed it would not be the line that is measured.
  const headers = { 'accept-encoding': 'identity' }
  try {
    const response = await fetch(url, {
      ...options,
      headers,
      signal: AbortSignal.any([signal, late.signal]),
    })
    const firstByteMs = performance.now() - started
    clearTimeout(limit)
    const reader = response.body?.getReader()
    let bytes = 0
    let complete = !reader
    const end = setTimeout(() => void reader?.cancel(), seconds * 1000)
    let cut = false
    const cutAt = performance.now() + seconds * 1000
    while (reader && !complete && !cut) {
      const { done, value } = await reader.read()
      cut = performance.now() >= cutAt
      complete = done && !cut
      bytes += value?.length ?? 0
    }
    clearTimeout(end)
    return {
      status: response.status,
      firstByteMs,
      complete,
      ...transfer(bytes, performance.now() - started - firstByteMs),
    }
  } finally {
    clearTimeout(limit)
    late.abort()
  }
}
