import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { PacketSocket } from '../../tunnel/net/udp/socket.ts'
import type { QuicheConnection } from '../../tunnel/quic/engines/quiche/binding.ts'
import { CostMonitor } from '../../tunnel/quic/engines/quiche/cost-monitor.ts'
import { Packets } from '../../tunnel/quic/engines/quiche/packets.ts'

const MiB = 1024 * 1024
const packet = 1_350
const payload = 1_300
/** Milliseconds that quiche takes for a packet on a slow machine. */
const packetMs = 0.05

interface Context {
  cost: CostMonitor
  /** This process's memory as it is told, in bytes. */
  memory: { rss: number }
}

const test = suite<Context>('what a peer costs')
const { rss } = process.memoryUsage

test.before.each(context => {
  context.cost = new CostMonitor(8 * MiB)
  context.memory = { rss: 60 * MiB }
  process.memoryUsage.rss = () => context.memory.rss
})
test.after.each(() => {
  process.memoryUsage.rss = rss
})

test('is no matter while bytes are read, though packets are lost and memory grows', ({ cost, memory }) => {
  for (let sent = 0; sent < 500 * MiB; sent += packet) {
    // One in twenty comes twice.
    const copies = sent % (20 * packet) === 0 ? 2 : 1
    for (let i = 0; i < copies; i++) assert.not(cost.received(packet, packetMs))
    cost.delivered(payload)
    memory.rss += 200
  }
})

test('is no matter while this end sends, and hears acknowledgements alone', ({ cost, memory }) => {
  for (let sent = 0; sent < 200 * MiB; sent += 2 * packet) {
    assert.not(cost.sent(2, packetMs))
    assert.not(cost.received(60, packetMs))
    memory.rss += 500
  }
})

test('is no matter where readers have stopped: what waits for them is bounded by their windows', ({
  cost,
  memory,
}) => {
  cost.unread = 20
  for (let held = 0; held < 20 * 8 * MiB; held += packet) {
    memory.rss += packet * 1.1
    assert.not(cost.received(packet, packetMs))
  }
})

test('is too much when memory grows over bytes that nobody gets', ({ cost, memory }) => {
  let sent = 0
  do {
    memory.rss += packet * 25
    sent += packet
  } while (!cost.received(packet, packetMs) && sent < 100 * MiB)
  assert.ok(memory.rss < 110 * MiB, `${memory.rss} bytes`)
})

test('is no matter when it was not this process that took the time', ({ cost }) => {
  for (let i = 0; i < 1_000; i++) assert.not(cost.received(packet, 50))
})

test('is what quiche takes for packets, not what the system takes to send them', () => {
  const { now } = performance
  let clock = 0
  performance.now = () => clock
  try {
    let left = 3
    const connection = {
      send() {
        clock += 1
        return left-- > 0 ? [packet, {}] : null
      },
    } as unknown as QuicheConnection
    const socket = {
      sendBatch(_buffers: unknown, _lengths: unknown, _from: number, to: number) {
        clock += 1_000
        return to
      },
    } as unknown as PacketSocket
    const packets = new Packets(socket, packet)
    packets.flush(connection, 1)
    assert.equal([packets.made, packets.makingMs], [3, 4])
  } finally {
    performance.now = now
  }
})

test.run()
