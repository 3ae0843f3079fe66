import type { Endpoint } from '../../tunnel/net/endpoint.ts'
import type { Place } from './place.ts'
import { node, root, withKey } from './processes.ts'

/** What is asked of a subject, always in terms of connections to the bench's web server. */
export interface Load {
  /** Fetch `bytes`, send `bytes`, or only connect and stay until all others are connected too. */
  action: 'get' | 'put' | 'hold'
  /** In all; with a time, so many at the most. */
  connections: number
  /** Connections open at a time. */
  atOnce: number
  /** Of each connection. */
  bytes: number
  /** Readers take nothing for this long after their first bytes, in milliseconds. */
  pauseMs?: number
  /** Ends so long after the first byte, and what has arrived in that time counts. Milliseconds. */
  forMs?: number
}

export interface LoadResult {
  seconds: number
  /** Of payload, all connections together. */
  bytes: number
  failures: number
  /** What the first failure was. */
  why?: string | undefined
  /** From opening the connection to the proxy's word that the target is connected, sorted, in milliseconds. */
  connectMs: number[]
  /** From opening the connection to the first byte of the answer, sorted, in milliseconds. */
  firstByteMs: number[]
  /** What the slowest stream had of the mean when the first was done; 1 is perfectly fair. */
  fairness: number
  /** CPU seconds of who loaded. */
  cpuSeconds: number
}

/** Whom a load goes to. */
export interface LoadSpec extends Load {
  origin: Endpoint
  /** The SOCKS5 proxy; without one the load goes straight to the origin. */
  socks?: Endpoint
}

/** More than any load takes on a slow machine. Milliseconds. */
export const loadLimitMs = 240_000

/** Where applications find the proxy of a subject: on their own side, unless it has no end there. */
export const nearby = (port: number): Endpoint => ({ address: '127.0.0.1', port })

/** Runs a load on the near side, in a process of its own. */
export async function drive(place: Place, load: Load, socks?: Endpoint): Promise<LoadResult> {
  const origin = { address: place.address.far, port: place.origin.port }
  const spec: LoadSpec = { ...load, origin, ...(socks && { socks }) }
  const generator = place.start('near', [node, `${root}/test/bench/programs/load.ts`], { spec })
  try {
    return await generator.hear('the load was done', withKey<LoadResult>('connectMs'), loadLimitMs)
  } finally {
    await generator.stop()
  }
}

/** Several loads that ran at once, as one. */
export function together(results: readonly LoadResult[]): LoadResult {
  const sum = (figure: 'bytes' | 'failures' | 'cpuSeconds') =>
    results.reduce((total, result) => total + result[figure], 0)
  const sorted = (figure: 'connectMs' | 'firstByteMs') =>
    results.flatMap(result => result[figure]).sort((a, b) => a - b)
  return {
    seconds: Math.max(...results.map(({ seconds }) => seconds)),
    bytes: sum('bytes'),
    failures: sum('failures'),
    why: results.find(({ why }) => why)?.why,
    connectMs: sorted('connectMs'),
    firstByteMs: sorted('firstByteMs'),
    fairness: Math.min(...results.map(({ fairness }) => fairness)),
    cpuSeconds: sum('cpuSeconds'),
  }
}
