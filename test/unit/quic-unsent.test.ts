import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { QuicheConnection } from '../../tunnel/quic/engines/quiche/binding.ts'
import { CostMonitor } from '../../tunnel/quic/engines/quiche/cost-monitor.ts'
import { SendScheduler } from '../../tunnel/quic/engines/quiche/send-scheduler.ts'
import type { QuicheStream } from '../../tunnel/quic/engines/quiche/stream.ts'
import { Streams } from '../../tunnel/quic/engines/quiche/streams.ts'

const MiB = 1024 * 1024
const chunk = Buffer.alloc(MiB / 8)
const test = suite('what a connection holds unsent')

/** Streams on a connection that would take whatever it is given, as one with a wide congestion window does. */
function wideStreams(count: number): { streams: Streams; open: QuicheStream[] } {
  const open: QuicheStream[] = []
  const quiche = {
    peerStreamsLeftBidi: () => count - open.length,
    streamSend: (_id: number, bytes: Uint8Array) => bytes.length,
    streamCapacity: () => 0,
    writable: () => open.map(({ id }) => id),
  } as unknown as QuicheConnection
  const scheduler = new SendScheduler({ read: () => false, send: () => false })
  const handlers = {
    onOpened() {},
    onReadable() {},
    onGone() {},
    onWritable: (id: number) => void streams.get(id)?.write(chunk),
  }
  const cost = new CostMonitor(MiB)
  const streams = new Streams({ quiche, role: 'client', scheduler, cost, handlers })
  while (open.length < count) open.push(streams.get(streams.open()!)!)
  return { streams, open }
}

test('is a megabyte, however many streams have plenty', () => {
  const { streams, open } = wideStreams(96)
  const taken = () => open.reduce((sum, { written }) => sum + written, 0)

  for (const stream of open) stream.write(chunk)
  assert.is(taken(), MiB)
  streams.unblock()
  assert.is(taken(), MiB, 'nothing has been sent yet')
  // Who has waited is to have a turn, and those come first who had none.
  for (let megabytes = 2; megabytes <= 12; megabytes++) {
    assert.is(streams.sent(), true)
    streams.unblock()
    assert.is(taken(), megabytes * MiB)
  }
  assert.ok(open.every(({ written }) => written === chunk.length))
})

test('keeps nobody waiting who fits in', () => {
  const { streams, open } = wideStreams(4)
  for (const stream of open) assert.is(stream.write(chunk), chunk.length)
  assert.is(streams.sent(), false)
  assert.is(streams.blocked, false)
})

test.run()
