import type { Load } from './load.ts'

export interface Workload {
  name: string
  title: string
  /** What runs at once; most are one load. */
  loads: readonly Load[]
  /** What goes straight to the web server meanwhile, over the same link. */
  beside?: Load
  /** Pairs of ends without a proxy can do it, too. */
  suitsPairs?: boolean
  /** What the subjects are compared by. */
  figure: 'mbits' | 'rate' | 'connectP99' | 'firstByteP50' | 'share'
}

/** How much of everything a run has. */
export interface Size {
  name: 'quick' | 'normal' | 'full'
  /** Bytes of each bulk workload. */
  bulk: number
  /** Of each slow reader. */
  slow: number
  slowPauseMs: number
  connections: number
  requests: number
  oneByOne: number
  /** Of each stream through a bottleneck. */
  narrow: number
  /** Beside another flow, in milliseconds. */
  besideMs: number
  /** Delays and losses. */
  links: readonly { delayMs: number; lossPercent: number }[]
  /** Of the workloads that have a time in place of a size, in milliseconds. */
  forMs: number
  /** Short requests one by one over a delay. */
  oneByOneAfar: number
  repetitions: number
  /** Set-ups and start-ups of which the median counts. */
  starts: number
}

const MB = 1_000_000
const kilobyte = 1024
const slowReaders = 200
const manySlowReaders = 900
/** More than any time is enough for. */
const endless = { bytes: 2 ** 45, connections: 1_000_000 }

const normal = {
  name: 'normal',
  bulk: 400 * MB,
  slow: 4 * MB,
  slowPauseMs: 6_000,
  connections: 1_000,
  requests: 2_000,
  oneByOne: 300,
  narrow: 40 * MB,
  besideMs: 15_000,
  links: [0, 20, 100].flatMap(delayMs => [0, 1, 3].map(lossPercent => ({ delayMs, lossPercent }))),
  forMs: 3_000,
  oneByOneAfar: 10,
  repetitions: 3,
  starts: 9,
} as const satisfies Size

export const sizes = {
  quick: {
    name: 'quick',
    bulk: 20 * MB,
    slow: MB / 5,
    slowPauseMs: 500,
    connections: 200,
    requests: 200,
    oneByOne: 50,
    narrow: 4 * MB,
    besideMs: 1_500,
    links: [{ delayMs: 20, lossPercent: 1 }],
    forMs: 500,
    oneByOneAfar: 3,
    repetitions: 1,
    starts: 1,
  },
  normal,
  full: { ...normal, name: 'full', requests: 10_000, oneByOne: 1_000 },
} as const satisfies Record<Size['name'], Size>

/** For the loopback address: fixed sizes, but where loads of different kinds must end together. */
export const nearWorkloads = (size: Size): Workload[] => [
  { name: 'down', title: 'one stream down', figure: 'mbits', loads: [bulk(size, 1)], suitsPairs: true },
  {
    name: 'up',
    title: 'one stream up',
    figure: 'mbits',
    loads: [{ ...bulk(size, 1), action: 'put' }],
    suitsPairs: true,
  },
  {
    name: 'both',
    title: 'both ways at once',
    figure: 'mbits',
    loads: [lasting('get', size), lasting('put', size)],
    suitsPairs: true,
  },
  { name: 'down10', title: '10 streams down', figure: 'mbits', loads: [bulk(size, 10)] },
  { name: 'down100', title: '100 streams down', figure: 'mbits', loads: [bulk(size, 100)] },
  {
    name: 'mix',
    title: '4 long streams, short requests 8 at a time, 200 idle connections',
    figure: 'mbits',
    loads: [lasting('get', size, 4), short(8, { forMs: size.forMs }), { ...lasting('hold', size, 200) }],
  },
  {
    name: 'connect',
    title: `${size.connections.toLocaleString('en')} connections at once`,
    figure: 'connectP99',
    loads: [{ action: 'hold', connections: size.connections, atOnce: size.connections, bytes: 0 }],
  },
  {
    name: 'short',
    title: `${size.requests.toLocaleString('en')} short requests, 32 at a time`,
    figure: 'rate',
    loads: [short(32, { connections: size.requests })],
  },
  {
    name: 'single',
    title: `${size.oneByOne.toLocaleString('en')} short requests, one by one`,
    figure: 'firstByteP50',
    loads: [short(1, { connections: size.oneByOne })],
  },
  { name: 'slow', title: `${slowReaders} slow readers`, figure: 'mbits', loads: [slow(size, slowReaders)] },
  {
    name: 'slow900',
    title: `${manySlowReaders} slow readers`,
    figure: 'mbits',
    loads: [slow(size, manySlowReaders)],
  },
]

/** By time, not by size: for what may be a thousand times slower than loopback. */
const timedStreams = (size: Size): Workload[] => [
  {
    name: 'down',
    title: 'one stream down',
    figure: 'mbits',
    loads: [lasting('get', size)],
    suitsPairs: true,
  },
  { name: 'up', title: 'one stream up', figure: 'mbits', loads: [lasting('put', size)], suitsPairs: true },
]

export const farWorkloads = (size: Size): Workload[] => [
  ...timedStreams(size),
  {
    name: 'single',
    title: 'a short request',
    figure: 'firstByteP50',
    loads: [short(1, { connections: size.oneByOneAfar })],
  },
]

export const heldWorkloads = (size: Size): Workload[] => [
  ...timedStreams(size),
  {
    name: 'short',
    title: 'short requests, 32 at a time',
    figure: 'rate',
    loads: [short(32, { forMs: size.forMs })],
  },
]

/** Through a bottleneck: sizes, so that what was sent and what arrived are the same bytes. */
export const narrowWorkloads = (size: Size): Workload[] => [
  { name: 'down', title: 'one stream down', figure: 'mbits', loads: [bulk({ bulk: size.narrow }, 1)] },
  {
    name: 'up',
    title: 'one stream up',
    figure: 'mbits',
    loads: [{ ...bulk({ bulk: size.narrow }, 1), action: 'put' }],
  },
]

/** Beside one TCP flow that has the same way, and that nothing of a proxy is in. */
export const besideWorkloads = ({ besideMs: forMs }: Size): Workload[] => [
  besideFlow('beside-down', 'one stream down', lasting('get', { forMs })),
  besideFlow('beside-up', 'one stream up', lasting('put', { forMs })),
]

/** Before a trial; pairs have only the first. */
export const warmUps = {
  near: [bulk({ bulk: 10 * MB }, 1), short(8, { connections: 100 })],
  far: [bulk({ bulk: MB / 5 }, 1), short(1, { connections: 5 })],
} as const satisfies Record<string, readonly Load[]>

// --- internal ---

function bulk(size: Pick<Size, 'bulk'>, streams: number): Load {
  return {
    action: 'get',
    connections: streams,
    atOnce: streams,
    bytes: Math.floor(size.bulk / streams),
  }
}

const besideFlow = (name: string, title: string, load: Load): Workload => ({
  name,
  title,
  figure: 'share',
  loads: [load],
  beside: load,
})

function slow({ slow: bytes, slowPauseMs: pauseMs }: Size, readers: number): Load {
  return { action: 'get', connections: readers, atOnce: readers, bytes, pauseMs }
}

function lasting(action: Load['action'], { forMs }: Pick<Size, 'forMs'>, connections = 1): Load {
  return { action, connections, atOnce: connections, bytes: endless.bytes, forMs }
}

function short(atOnce: number, limit: { connections: number } | { forMs: number }): Load {
  return { action: 'get', connections: endless.connections, atOnce, bytes: kilobyte, ...limit }
}
