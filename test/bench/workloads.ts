import type { Load } from './load.ts'

export interface Workload {
  name: string
  title: string
  load: Load
  /** What the subjects are compared by. */
  figure: 'mbits' | 'rate' | 'connectP99' | 'firstByteP50'
}

/** How much of everything a run has. */
export interface Size {
  /** Bytes of each bulk workload. */
  bulk: number
  /** Of each slow reader. */
  slow: number
  slowPauseMs: number
  connections: number
  requests: number
  oneByOne: number
}

const MB = 1_000_000

export const sizes = {
  quick: { bulk: 20 * MB, slow: MB / 5, slowPauseMs: 500, connections: 200, requests: 200, oneByOne: 50 },
  normal: {
    bulk: 400 * MB,
    slow: 4 * MB,
    slowPauseMs: 6_000,
    connections: 1_000,
    requests: 2_000,
    oneByOne: 300,
  },
  full: {
    bulk: 400 * MB,
    slow: 4 * MB,
    slowPauseMs: 6_000,
    connections: 1_000,
    requests: 10_000,
    oneByOne: 1_000,
  },
} as const satisfies Record<string, Size>

const kilobyte = 1024
const slowReaders = 200

export function workloads(size: Size): Workload[] {
  const down = (streams: number): Load => ({
    action: 'get',
    connections: streams,
    atOnce: streams,
    bytes: Math.floor(size.bulk / streams),
  })
  return [
    { name: 'down', title: 'one stream down', figure: 'mbits', load: down(1) },
    { name: 'up', title: 'one stream up', figure: 'mbits', load: { ...down(1), action: 'put' } },
    { name: 'down10', title: '10 streams down', figure: 'mbits', load: down(10) },
    { name: 'down100', title: '100 streams down', figure: 'mbits', load: down(100) },
    {
      name: 'connect',
      title: `${size.connections.toLocaleString('en')} connections at once`,
      figure: 'connectP99',
      load: { action: 'hold', connections: size.connections, atOnce: size.connections, bytes: 0 },
    },
    {
      name: 'short',
      title: `${size.requests.toLocaleString('en')} short requests, 32 at a time`,
      figure: 'rate',
      load: { action: 'get', connections: size.requests, atOnce: 32, bytes: kilobyte },
    },
    {
      name: 'single',
      title: `${size.oneByOne.toLocaleString('en')} short requests, one by one`,
      figure: 'firstByteP50',
      load: { action: 'get', connections: size.oneByOne, atOnce: 1, bytes: kilobyte },
    },
    {
      name: 'slow',
      title: `${slowReaders} slow readers`,
      figure: 'mbits',
      load: {
        action: 'get',
        connections: slowReaders,
        atOnce: slowReaders,
        bytes: size.slow,
        pauseMs: size.slowPauseMs,
      },
    },
  ]
}
