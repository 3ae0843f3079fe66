import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { NativeBinding } from '../../tunnel/quic/engines/native/binding.ts'
import { NativeConnection } from '../../tunnel/quic/engines/native/connection.ts'
import { eventKinds } from '../../tunnel/quic/engines/native/events.ts'
import { NativeSocket } from '../../tunnel/quic/engines/native/socket.ts'
import { QuicStream } from '../../tunnel/quic/stream.ts'
import { tunings } from '../../tunnel/quic/tuning.ts'

const test = suite('how streams of the native engine are read')

const turn = () => new Promise(resolve => setImmediate(resolve))
const endless = Number.POSITIVE_INFINITY

/** Streams on an addon that has so many bytes of each, which it tells of once. */
function reading(bytes: readonly number[]): { read: number[]; end: () => void } {
  const left = [...bytes]
  let told = false
  class Addon {
    address = '127.0.0.1'
    port = 1
    receiveBuffer = 0
    attach = () => {}
    destroy = () => {}
    flush = () => false
    writable = () => -1
    close = () => {}
    turn(words: Uint32Array) {
      if (told) return 0
      told = true
      for (const stream of left.keys()) words.set([eventKinds.readable, stream, 0], stream * 3)
      return left.length
    }
    read(stream: number, buffer: Uint8Array) {
      const count = Math.min(left[stream]!, buffer.length)
      left[stream]! -= count
      return count
    }
  }
  const binding = { Socket: Addon, version: () => '0' } as unknown as NativeBinding
  const socket = new NativeSocket(binding, {})
  const streams: QuicStream[] = []
  const nothing = () => {}
  const connection = new NativeConnection(socket, {
    socket,
    peer: { address: '127.0.0.1', port: 2 },
    mayMove: false,
    role: 'server',
    identity: { key: new Uint8Array(), certificate: new Uint8Array(), fingerprint: '' },
    pin: '',
    tuning: tunings.server,
    early: [],
    handlers: {
      onConnected: nothing,
      onClosed: nothing,
      onOpened: nothing,
      onReadable: stream => streams[stream]?.onReadable(),
      onWritable: nothing,
      onGone: nothing,
      onDatagram: nothing,
      onPacket: nothing,
    },
  })
  const read = bytes.map(() => 0)
  for (const id of bytes.keys()) {
    const host = { engine: connection, forget: nothing, tellBreak: () => true, tellOver: nothing }
    const stream = new QuicStream(id, host)
    stream.attach({
      data: chunk => {
        read[id]! += chunk.length
      },
      end: nothing,
      drain: nothing,
      close: nothing,
    })
    streams.push(stream)
  }
  return {
    read,
    end() {
      connection.close(0, '')
      socket.close()
    },
  }
}

test('streams with no end of bytes each have their part, and a turn has its bound', async () => {
  const { read, end } = reading(Array.from({ length: 20 }, () => endless))
  await turn()
  let before = read.reduce((sum, each) => sum + each, 0)
  for (let turns = 0; turns < 200; turns++) {
    await turn()
    const total = read.reduce((sum, each) => sum + each, 0)
    assert.ok(total - before <= 512 * 1024, `${total - before} bytes in a turn`)
    before = total
  }
  const most = Math.max(...read)
  const least = Math.min(...read)
  assert.ok(least > 0.9 * most, `${least} of ${most}`)
  end()
})

test('a short answer does not wait for those that have no end', async () => {
  const { read, end } = reading([endless, endless, endless, endless, 1_000])
  for (let turns = 0; turns < 4; turns++) await turn()
  assert.is(read[4], 1_000)
  end()
})

test.run()
