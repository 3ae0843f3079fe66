import type { LoadResult, LoadSpec } from '../load.ts'
import { type Opened, open, readBuffer } from './socks.ts'
import { say, spec } from './spec.ts'

// The load generator: opens connections, through SOCKS5 or straight, and fetches, sends or holds on each.

const load = spec<LoadSpec>()
/** A connection on which nothing happens for this long has failed. Milliseconds. */
const stallLimitMs = 20_000
const chunk = Buffer.alloc(1024 * 1024, 'x')

/** Bytes of payload by connection. */
const received: number[] = new Array(load.connections).fill(0)
const connectMs: number[] = []
const firstByteMs: number[] = []
let fairness = 1
let anyDone = false
let failures = 0
let why: string | undefined
let arrived = 0
const everybody = Promise.withResolvers<void>()

const started = performance.now()
const cpuBefore = process.cpuUsage()
const queue = Array.from({ length: load.connections }, (_, i) => i)
await Promise.all(
  Array.from({ length: load.atOnce }, async () => {
    for (let i = queue.shift(); i !== undefined; i = queue.shift()) await one(i)
  }),
)
const { user, system } = process.cpuUsage(cpuBefore)
const ascending = (a: number, b: number) => a - b
const result: LoadResult = {
  seconds: (performance.now() - started) / 1000,
  bytes: received.reduce((sum, bytes) => sum + bytes, 0),
  failures,
  why,
  connectMs: connectMs.sort(ascending),
  firstByteMs: firstByteMs.sort(ascending),
  fairness,
  cpuSeconds: (user + system) / 1e6,
}
say(result)
process.exit(0)

async function one(index: number): Promise<void> {
  const began = performance.now()
  let opened: Opened | undefined
  const stalled = setTimeout(() => opened?.socket.destroy(new Error('stalled')), stallLimitMs)
  try {
    opened = await open(load.origin, load.socks)
    connectMs.push(performance.now() - began)
    if (load.action === 'hold') await hold()
    else await exchange(opened, index, began, () => stalled.refresh())
  } catch (error) {
    failures++
    why ??= `${(error as Error).message} after ${received[index]} bytes`
    arrive()
  } finally {
    clearTimeout(stalled)
    opened?.socket.destroy()
  }
}

/** Waits until all the others are connected, or have failed. */
function hold(): Promise<void> {
  arrive()
  return everybody.promise
}

function arrive(): void {
  if (++arrived === load.connections) everybody.resolve()
}

function exchange(opened: Opened, index: number, began: number, alive: () => void): Promise<void> {
  const { socket } = opened
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let headLength = 0
  let heard = 0
  opened.onRead = length => {
    alive()
    const first = heard === 0
    heard += length
    if (first) {
      firstByteMs.push(performance.now() - began)
      headLength = readBuffer.subarray(0, length).indexOf('\r\n\r\n') + 4
      if (headLength < 4 || readBuffer.indexOf('HTTP/1.1 200') !== 0) socket.destroy()
    }
    if (load.action === 'put') {
      resolve()
      return true
    }
    received[index] = heard - headLength
    if (received[index] === load.bytes) {
      judgeFairness()
      resolve()
    }
    if (!first || !load.pauseMs) return true
    setTimeout(() => {
      alive()
      socket.resume()
    }, load.pauseMs)
    return false
  }
  socket.once('error', reject)
  socket.once('close', () => reject(new Error('cut short')))
  if (load.action === 'put') put(opened, index, alive)
  else socket.write(`GET /${load.bytes} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`)
  return promise
}

function put({ socket }: Opened, index: number, alive: () => void): void {
  socket.write(`PUT / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Length: ${load.bytes}\r\n\r\n`)
  const more = () => {
    alive()
    while (received[index]! < load.bytes) {
      const part = chunk.subarray(0, load.bytes - received[index]!)
      received[index]! += part.length
      if (!socket.write(part)) return void socket.once('drain', more)
    }
  }
  more()
}

function judgeFairness(): void {
  if (anyDone) return
  anyDone = true
  const mean = received.reduce((sum, bytes) => sum + bytes, 0) / received.length
  fairness = Math.min(...received) / mean
}
