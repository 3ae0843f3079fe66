import type { LoadResult, LoadSpec } from '../load.ts'
import { createClock } from './clock.ts'
import { type Opened, open, readBuffer } from './socks.ts'
import { say, spec } from './spec.ts'

// The load generator: opens connections, through SOCKS5 or straight, and fetches, sends or holds on each.

const load = spec<LoadSpec>()
/** A connection on which nothing happens for this long has failed. Milliseconds. */
const stallLimitMs = 20_000
const chunk = Buffer.alloc(1024 * 1024, 'x')
const headEnd = '\r\n\r\n'

/** Bytes of payload by connection. */
const received: number[] = []
const connectMs: number[] = []
const firstByteMs: number[] = []
let fairness = 1
let anyDone = false
let failures = 0
let why: string | undefined
let arrived = 0
const everybody = Promise.withResolvers<void>()

const clock = createClock(load.forMs)
const cpuBefore = process.cpuUsage()
let next = 0
await Promise.all(
  Array.from({ length: load.atOnce }, async () => {
    while (next < load.connections && !clock.isOver()) await one(next++)
  }),
)
const { user, system } = process.cpuUsage(cpuBefore)
const ascending = (a: number, b: number) => a - b
const result: LoadResult = {
  seconds: clock.seconds(),
  bytes: received.reduce((sum, bytes) => sum + bytes, 0),
  failures,
  why,
  connectMs: connectMs.sort(ascending),
  firstByteMs: firstByteMs.sort(ascending),
  fairness,
  cpuSeconds: (user + system) / 1e6,
}
say(result)
// Long results go out in pieces: not before the last of them is gone.
process.stdout.write('', () => process.exit(0))

async function one(index: number): Promise<void> {
  const began = performance.now()
  received[index] = 0
  let opened: Opened | undefined
  const stalled = setTimeout(() => opened?.socket.destroy(new Error('stalled')), stallLimitMs)
  try {
    opened = await open(load.origin, load.socks)
    connectMs.push(performance.now() - began)
    if (load.action === 'hold') await hold()
    else await Promise.race([exchange(opened, index, began, () => stalled.refresh()), clock.over])
  } catch (error) {
    failures++
    why ??= `${(error as Error).message} after ${received[index]} bytes`
    arrive()
  } finally {
    clearTimeout(stalled)
    opened?.socket.destroy()
  }
}

/** Waits until all the others are connected, or have failed; with a time, until that is over. */
function hold(): Promise<void> {
  clock.begin()
  arrive()
  return load.forMs ? clock.over : everybody.promise
}

function arrive(): void {
  if (++arrived === load.connections) everybody.resolve()
}

function exchange(opened: Opened, index: number, began: number, alive: () => void): Promise<void> {
  const { socket } = opened
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let head = ''
  let headLength = 0
  let heard = 0
  opened.onRead = length => {
    alive()
    const first = heard === 0
    heard += length
    if (first) {
      clock.begin()
      firstByteMs.push(performance.now() - began)
    }
    // The head comes in pieces when the packet that brings it is full.
    if (headLength === 0) {
      head += readBuffer.toString('latin1', 0, length)
      const end = head.indexOf(headEnd)
      if (end < 0) return true
      headLength = end + headEnd.length
      if (!head.startsWith('HTTP/1.1 200')) socket.destroy()
    }
    received[index] = load.action === 'put' ? told(length, received[index]!) : heard - headLength
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
  if (load.action === 'put') put(opened, alive)
  else socket.write(`GET /${load.bytes} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`)
  return promise
}

/** What the web server says to have received, a line each time. The end of a line that was cut in two is a smaller number. */
function told(length: number, before: number): number {
  const lines = readBuffer.toString('latin1', 0, length).matchAll(/^(\d+)\n/gm)
  return Math.max(before, ...[...lines].map(([, bytes]) => Number(bytes)))
}

function put({ socket }: Opened, alive: () => void): void {
  socket.write(`PUT / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Length: ${load.bytes}\r\n\r\n`)
  let left = load.bytes
  const more = () => {
    alive()
    while (left > 0) {
      const part = left < chunk.length ? chunk.subarray(0, left) : chunk
      left -= part.length
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
