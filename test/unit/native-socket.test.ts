import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { NativeBinding } from '../../tunnel/quic/engines/native/binding.ts'
import { NativeSocket } from '../../tunnel/quic/engines/native/socket.ts'

const test = suite('when the native engine sends')

/** A socket on an addon that counts how often it is told to send, and that calls when it has something to do. */
function counted(): { socket: NativeSocket; flushes: () => number; call: () => void } {
  let flushes = 0
  let call = () => {}
  class Addon {
    address = '127.0.0.1'
    port = 1
    receiveBuffer = 0
    turn = () => 0
    destroy = () => {}
    constructor(_address: string, _port: number, onReady: () => void) {
      call = onReady
    }
    flush() {
      flushes++
      return false
    }
  }
  const binding = { Socket: Addon, version: () => '0' } as unknown as NativeBinding
  const socket = new NativeSocket(binding, {})
  return { socket, flushes: () => flushes, call }
}
const turn = () => new Promise(resolve => setImmediate(resolve))

test('few calls of a turn go out together, at its end', async () => {
  const { socket, flushes } = counted()
  for (let i = 0; i < 10; i++) socket.owe()
  assert.is(flushes(), 0)
  await turn()
  assert.is(flushes(), 1)
  await turn()
  assert.is(flushes(), 1)
  socket.close()
})

test('where a turn brings many, the other end need not wait for the last of them', async () => {
  const { socket, flushes } = counted()
  for (let i = 0; i < 1_000; i++) socket.owe()
  const during = flushes()
  assert.ok(during > 10 && during < 100, `${during} in a turn of 1,000`)
  await turn()
  assert.is(flushes(), during + 1)
  socket.close()
})

test('what the engine calls takes one turn of the event loop, however often it calls', async () => {
  const { socket, flushes, call } = counted()
  for (let i = 0; i < 10; i++) call()
  // At once it would, on Bun, keep all other sockets waiting for as long as packets come.
  assert.is(flushes(), 0)
  await turn()
  assert.is(flushes(), 1)
  socket.close()
})

test.run()
