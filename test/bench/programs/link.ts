import { dlopen, type Pointer, ptr } from 'bun:ffi'
import { constants, openSync } from 'node:fs'
import { seeded } from '../../support/random.ts'
import { type LinkCounters, type WayCounters, waitStepMs, waitSteps } from '../path.ts'
import { say, spec } from './spec.ts'

// A link between two network devices (TUN): what one sends leaves the other after a delay, or is lost; with a rate it
// is a bottleneck with a queue, which drops what comes when it is full. It carries IP packets, so that it is the same
// link for QUIC, for TCP and for signalling, and it does not need the kernel's netem. It does nothing else and waits in
// poll(2) alone: no event loop, no allocation per packet. A line on its standard input is answered with its counters;
// it ends with that input.

export interface LinkSpec {
  /** Names of the two devices, which it makes; they are gone when it is. */
  devices: [string, string]
  /** Of a round trip, half of it each way. */
  delayMs: number
  /** Of the packets, each way. */
  lossPercent: number
  /** So much fits through each way, in 10^6 bits a second of IP packets; unlimited without. */
  mbits?: number
  /** The most that a packet waits for those before it, with a rate. */
  queueMs?: number
}

/** On the link at a time, each way: 60 ms of a gigabit and more. A device whose link is full waits, and loses what its own queue cannot hold. */
const slots = 16_384
/** More than the devices' MTU of 1,500. */
const slotSize = 2048
/** After so many packets of one device the other gets its turn. */
const packetsPerTurn = 256

const { devices, delayMs, lossPercent, mbits, queueMs = 0 } = spec<LinkSpec>()
const { symbols: libc } = dlopen('libc.so.6', {
  malloc: { args: ['u64'], returns: 'ptr' },
  ioctl: { args: ['i32', 'u64', 'ptr'], returns: 'i32' },
  read: { args: ['i32', 'ptr', 'u64'], returns: 'i32' },
  write: { args: ['i32', 'ptr', 'u64'], returns: 'i32' },
  ppoll: { args: ['ptr', 'u64', 'ptr', 'ptr'], returns: 'i32' },
})
const random = seeded(1)

const [near, far] = devices.map(openDevice) as [number, number]
const ways = [way(near, far), way(far, near)] as const
const question = libc.malloc(slotSize)
say({ ready: true })

const standardInput = 0
const polled = new Int32Array(6)
const timeout = new BigInt64Array(2)
for (;;) {
  const now = performance.now()
  for (const { carry } of ways) carry(now)
  if (!wait(Math.min(...ways.map(({ nextDue }) => nextDue())))) process.exit(0)
}

/** One direction: a ring of packets, in the order in which they are due because all wait equally long. */
function way(from: number, to: number) {
  // Not an array: only its address is used, and the collector would take it for garbage.
  const memory = Number(libc.malloc(slots * slotSize))
  const counters: WayCounters = {
    packets: 0,
    bytes: 0,
    lost: 0,
    dropped: 0,
    waits: new Array(waitSteps).fill(0),
  }
  /** When the last packet has left the bottleneck. */
  let freeAt = 0
  const lengths = new Uint16Array(slots)
  const due = new Float64Array(slots)
  let head = 0
  let tail = 0
  const slot = (index: number) => (memory + (index % slots) * slotSize) as Pointer
  /** When it has left the bottleneck, or undefined when it finds no room there. */
  const passed = (length: number, now: number) => {
    if (mbits === undefined) return now
    const wait = Math.max(0, freeAt - now)
    if (wait > queueMs) return undefined
    counters.waits[Math.min(waitSteps - 1, Math.floor(wait / waitStepMs))]!++
    freeAt = now + wait + (length * 8) / (mbits * 1000)
    return freeAt
  }
  return {
    counters,
    isFull: () => tail - head === slots,
    nextDue: () => (head < tail ? due[head % slots]! : Number.POSITIVE_INFINITY),
    carry(now: number): void {
      for (let turn = 0; turn < packetsPerTurn && tail - head < slots; turn++) {
        const length = libc.read(from, slot(tail), slotSize)
        if (length <= 0) break
        counters.packets++
        counters.bytes += length
        if (random.next() * 100 < lossPercent) {
          counters.lost++
          continue
        }
        const at = passed(length, now)
        if (at === undefined) {
          counters.dropped++
          continue
        }
        lengths[tail % slots] = length
        due[tail++ % slots] = at + delayMs / 2
      }
      for (; head < tail && due[head % slots]! <= now; head++)
        libc.write(to, slot(head), lengths[head % slots]!)
    },
  }
}

/** Waits until there is something to read, or until a packet is due; false when standard input has ended. */
function wait(until: number): boolean {
  const readable = 1
  const descriptors = [near, far, standardInput]
  descriptors.forEach((descriptor, i) => {
    // struct pollfd: a descriptor, the events to wait for, those that came. A negative one is passed over.
    polled[2 * i] = ways[i]?.isFull() ? -1 : descriptor
    polled[2 * i + 1] = readable
  })
  const ms = Math.max(0, until - performance.now())
  timeout[0] = BigInt(Math.floor(Math.min(ms, 1e9) / 1000))
  timeout[1] = BigInt(Math.floor((Math.min(ms, 1e9) % 1000) * 1e6))
  libc.ppoll(ptr(polled), descriptors.length, ptr(timeout), null)
  return polled[5]! >>> 16 === 0 || answer()
}

/** Says the counters to whoever has asked; false when standard input has ended. */
function answer(): boolean {
  if (libc.read(standardInput, question, slotSize) <= 0) return false
  say({ up: ways[0].counters, down: ways[1].counters } satisfies LinkCounters)
  return true
}

/** A TUN device without headers of its own (Linux, Documentation/networking/tuntap.rst). */
function openDevice(name: string): number {
  const TUNSETIFF = 0x400454ca
  const IFF_TUN = 1
  const IFF_NO_PI = 0x1000
  const descriptor = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK)
  // struct ifreq: the name in 16 bytes, then the flags.
  const request = new Uint8Array(40)
  request.set(new TextEncoder().encode(name).subarray(0, 15))
  new DataView(request.buffer).setUint16(16, IFF_TUN | IFF_NO_PI, true)
  if (libc.ioctl(descriptor, TUNSETIFF, ptr(request)) !== 0)
    throw new Error(`the network device ${name} cannot be made`)
  return descriptor
}
