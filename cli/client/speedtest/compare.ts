import { randomBytes } from 'node:crypto'
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

export interface CompareOptions {
  /** How long each may take, its first byte apart. */
  seconds: number
  signal: AbortSignal
  /** Called with all bytes that came through the session so far. */
  onTunnelBytes?: (bytes: number) => void
}

/** Fetches a URL directly, then as an application would through the session. */
export async function compare(
  session: Session,
  url: string,
  { seconds, signal, onTunnelBytes = () => {} }: CompareOptions,
): Promise<Comparison> {
  const restoreProxies = hideProxies()
  // Other users of this machine can reach the listener, too.
  const user = 'speedtest'
  const password = randomBytes(24).toString('base64url')
  const proxy = startProxy({
    listeners: [{ scheme: 'http', host: '127.0.0.1', port: 0 }],
    logins: [{ user, secret: { kind: 'plain', password }, limits: {} }],
    exits: { select: async () => session, full() {}, mayReuse: () => true },
    events: createEvents(),
  })
  const attempt = (options: { proxy?: string; onBytes?: (bytes: number) => void }) =>
    fetchFor(url, { ...options, seconds, signal }).catch((error: unknown) => {
      signal.throwIfAborted()
      return { error: explained(error).message }
    })
  try {
    const direct = await attempt({})
    const tunnel = await attempt({
      proxy: `http://${user}:${password}@127.0.0.1:${proxy.listeners[0]!.port}`,
      onBytes: onTunnelBytes,
    })
    return { url, direct, tunnel }
  } finally {
    restoreProxies()
    await proxy.close()
  }
}

// --- internal ---

/** Direct means without a proxy that the environment names, too. Returns what puts the variables back. */
function hideProxies(): () => void {
  const hidden = spellings.flatMap(name => {
    const value = process.env[name]
    delete process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return () => {
    for (const [name, value] of hidden) process.env[name] = value
  }
}

interface FetchOptions {
  proxy?: string
  seconds: number
  signal: AbortSignal
  onBytes?: (bytes: number) => void
}

async function fetchFor(
  url: string,
  { proxy, seconds, signal, onBytes = () => {} }: FetchOptions,
): Promise<Fetched> {
  const late = new AbortController()
  const tooLate = new SpeedtestError('E_SPEEDTEST_TIMEOUT', `no answer within ${answerLimitMs / 1000} s`)
  const limit = setTimeout(() => late.abort(tooLate), answerLimitMs)
  // Compression would distort the measured rate.
  const headers = { 'accept-encoding': 'identity' }
  const started = performance.now()
  try {
    const response = await fetch(url, {
      ...(proxy !== undefined && { proxy }),
      headers,
      signal: AbortSignal.any([signal, late.signal]),
    })
    clearTimeout(limit)
    const answered = performance.now()
    const { bytes, complete } = await readFor(response, seconds, onBytes)
    const ms = performance.now() - answered
    return { status: response.status, firstByteMs: answered - started, complete, ...transfer(bytes, ms) }
  } finally {
    clearTimeout(limit)
    late.abort()
  }
}

/** Reads a body to its end, or until its time is up. */
async function readFor(
  { body }: Response,
  seconds: number,
  onBytes: (bytes: number) => void,
): Promise<{ bytes: number; complete: boolean }> {
  const reader = body?.getReader()
  let bytes = 0
  let complete = true
  const end = setTimeout(() => {
    complete = false
    void reader?.cancel()
  }, seconds * 1000)
  try {
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      bytes += part.value.length
      onBytes(bytes)
    }
    return { bytes, complete }
  } finally {
    clearTimeout(end)
  }
}
