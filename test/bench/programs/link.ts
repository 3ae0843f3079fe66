import { dlopen, type Pointer, ptr } from 'bun:ffi'
import { constants, openSync } from 'node:fs'
import { seeded } from '../../support/random.ts'
import { say, spec } from './spec.ts'

// A link between two network devices (TUN): what one sends leaves the other after a delay, or is lost. It
// carries IP packets, so that it is the same link for QUIC, for TCP and for signalling. It does nothing else
// and waits in poll(2) alone: no event loop, no allocation per packet. Ends with its standard input.

export interface LinkSpec {
  /** Names of the two devices, which it makes; they are gone when it is. */
  devices: [string, string]
  /** Of a round trip, half of it each way. */
  delayMs: number
  /** Of the packets, each way. */
  lossPercent: number
}

/** On the link at a time, each way: 60 ms of a gigabit and more. A device whose link is full waits, and loses what its own queue cannot hold. */
const slots = 16_384
/** More than the devices' MTU of 1,500. */
const slotSize = 2048
/** After so many packets of one device the other gets its turn. */
const packetsPerTurn = 256

const { devices, delayMs, lossPercent } = spec<LinkSpec>()
const { symbols: libc } = dlopen('libc.so.6', {
  malloc: { args: ['u64'], returns: 'ptr' },
  ioctl: { args: ['i32', 'u64', 'ptr'], returns: 'i32' },
  read: { args: ['i32', 'ptr', 'u64'], returns: 'i32' },
  write: { args: ['i32', 'ptr', 'u64'], returns: 'i32' },
  ppoll: { args: ['ptr', 'u64', 'ptr', 'ptr'], returns: 'i32' },
})
const random = seeded(1)

const [near, far] = devices.map(openDevice) as [number, number]
const ways = [way(near, far), way(far, near)]
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
  const lengths = new Uint16Array(slots)
  const due = new Float64Array(slots)
  let head = 0
  let tail = 0
  const slot = (index: number) => (memory + (index % slots) * slotSize) as Pointer
  return {
    isFull: () => tail - head === slots,
    nextDue: () => (head < tail ? due[head % slots]! : Number.POSITIVE_INFINITY),
    carry(now: number): void {
      for (let turn = 0; turn < packetsPerTurn && tail - head < slots; turn++) {
        const length = libc.read(from, slot(tail), slotSize)
        if (length <= 0) break
        if (random.next() * 100 < lossPercent) continue
        lengths[tail % slots] = length
        due[tail++ % slots] = now + delayMs / 2
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
  return polled[5]! >>> 16 === 0
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
