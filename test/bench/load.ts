import { node, root, start, withKey } from './processes.ts'

/** What is asked of a subject, always in terms of connections to the bench's web server. */
export interface Load {
  /** Fetch `bytes`, send `bytes`, or only connect and stay until all others are connected too. */
  action: 'get' | 'put' | 'hold'
  connections: number
  /** Connections open at a time. */
  atOnce: number
  /** Of each connection. */
  bytes: number
  /** Readers take nothing for this long after their first bytes, in milliseconds. */
  pauseMs?: number
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

/** Whom a load goes to: ports on the loopback address. */
export interface LoadSpec extends Load {
  origin: number
  /** The SOCKS5 proxy; without one the load goes straight to the origin. */
  socks?: number
}

/** More than any load takes on a slow machine. Milliseconds. */
export const loadLimitMs = 240_000

/** Runs a load in a process of its own. */
export async function drive(spec: LoadSpec): Promise<LoadResult> {
  const generator = start([node, `${root}/test/bench/programs/load.ts`], { spec })
  try {
    return await generator.hear('the load was done', withKey<LoadResult>('connectMs'), loadLimitMs)
  } finally {
    await generator.stop()
  }
}
