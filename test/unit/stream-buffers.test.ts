import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readBufferFor } from '../../tunnel/net/read-buffer.ts'
import type { EngineConnection } from '../../tunnel/quic/engine-connection.ts'
import { QuicStream } from '../../tunnel/quic/stream.ts'

const test = suite('the buffers that streams are read into')

/** Streams that have each a chunk to read, their own number, and the buffers that were read into. */
function streamsWithAChunk(count: number): { streams: QuicStream[]; buffers: Set<ArrayBufferLike> } {
  const buffers = new Set<ArrayBufferLike>()
  const unread = new Set(Array.from({ length: count }, (_, id) => id))
  const engine = {
    read(id: number, buffer: Uint8Array) {
      buffers.add(buffer.buffer)
      if (!unread.delete(id)) return 0
      buffer.fill(id, 0, 10)
      return 10
    },
    readLater() {},
  } as unknown as EngineConnection
  const host = { engine, forget() {}, tellBreak: () => false, tellOver() {} }
  return { streams: Array.from({ length: count }, (_, id) => new QuicStream(id, host)), buffers }
}

const owner = { end() {}, drain() {}, close() {} }
/** Ownership begins behind the call. */
const microtasks = () => new Promise<void>(resolve => queueMicrotask(resolve))

test('are the same for all who let go of a stream behind its first chunk', async () => {
  const { streams, buffers } = streamsWithAChunk(100)
  for (const stream of streams) {
    const detach = stream.attach({ ...owner, data: () => detach() })
    await microtasks()
  }
  assert.is(buffers.size, 1)
})

test('stay with who pauses, and are used again when it resumes', async () => {
  const { streams, buffers } = streamsWithAChunk(20)
  const kept: Uint8Array[] = []
  for (const stream of streams) {
    stream.attach({
      ...owner,
      data(chunk) {
        kept.push(chunk)
        stream.pause()
      },
    })
    await microtasks()
  }
  assert.equal(
    kept.map(([first]) => first),
    streams.map(({ id }) => id),
    'nobody read over what another had kept',
  )
  for (const stream of streams) stream.resume()
  const before = buffers.size
  const late = new QuicStream(99, {
    engine: lateEngine(buffers),
    forget() {},
    tellBreak: () => false,
    tellOver() {},
  })
  late.attach({ ...owner, data() {} })
  await microtasks()
  assert.is(buffers.size, before)
})

test('keep what waits for room in the same place, one after the other', () => {
  const kept = new Set<ArrayBufferLike>()
  let room = 0
  const engine = {
    write(_id: number, chunk: Uint8Array) {
      kept.add(chunk.buffer)
      return Math.min(room, chunk.length)
    },
  } as unknown as EngineConnection
  const chunk = readBufferFor(1).subarray(0, 5_000)
  kept.add(chunk.buffer)
  const stream = new QuicStream(0, { engine, forget() {}, tellBreak: () => false, tellOver() {} })
  for (let i = 0; i < 100; i++) {
    room = 100
    assert.is(stream.write(chunk), false)
    room = 1_000
    stream.onWritable()
    room = 10_000
    stream.onWritable()
    assert.not(stream.full)
  }
  assert.is(kept.size, 2, 'the buffer that all reads go to, and one that keeps')
})

/** Nothing to read, but a look. */
const lateEngine = (buffers: Set<ArrayBufferLike>) =>
  ({
    read(_id: number, buffer: Uint8Array) {
      buffers.add(buffer.buffer)
      return 0
    },
  }) as unknown as EngineConnection

test.run()
