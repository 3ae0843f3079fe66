import { Socket } from 'node:dgram'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openNodeSocket } from '../../tunnel/net/udp/node.ts'
import type { PacketSocket } from '../../tunnel/net/udp/socket.ts'

interface Context {
  socket: PacketSocket
  /** What Node was given, and who is to be told when it has gone. */
  queue: { packet: Uint8Array; sent: (() => void) | undefined }[]
  /** What Node was given in all. */
  given: number
}

const test = suite<Context>("Node's UDP socket, when the kernel's buffer is full")
const { send, getSendQueueCount } = Socket.prototype

test.before.each(async context => {
  context.socket = await openNodeSocket({ address: '127.0.0.1' })
  await context.socket.connect({ address: '127.0.0.1', port: 9 })
  context.queue = []
  context.given = 0
  // The kernel takes no packet: Node keeps each, and says so by its count alone.
  Socket.prototype.getSendQueueCount = () => context.queue.length
  Socket.prototype.send = ((packet: Uint8Array, _at: number, _length: number, sent?: () => void) => {
    context.given++
    context.queue.push({ packet, sent })
  }) as Socket['send']
})
test.after.each(({ socket }) => {
  Object.assign(Socket.prototype, { send, getSendQueueCount })
  socket.close()
})

const packets = () => Array.from({ length: 8 }, () => new Uint8Array(10))
const lengths = new Array<number>(8).fill(10)

test('a batch waits until it has room, and no turn of the loop is spent on it', async context => {
  const { socket, queue } = context
  let drains = 0
  socket.onDrain = () => drains++
  const batch = packets()
  let at = socket.sendBatch(batch, lengths, 0, 8)
  assert.ok(at < 8)
  for (let tries = 0; tries < 100; tries++) at = socket.sendBatch(batch, lengths, at, 8)
  await new Promise(setImmediate)
  assert.is(context.given, at, 'no more is queued')
  assert.ok(at <= 2)
  assert.is(drains, 0)
  for (const { sent } of queue.splice(0)) sent?.()
  assert.is(drains, 1)
  assert.ok(socket.sendBatch(batch, lengths, at, 8) > at)
})

test('a packet that Node still holds is not written again', ({ socket, queue }) => {
  const batch = packets()
  const at = socket.sendBatch(batch, lengths, 0, 8)
  assert.is(queue.length, at)
  for (const { packet } of queue) assert.not(batch.some(each => each === packet))
})

test.run()
