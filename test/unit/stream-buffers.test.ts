import { suite } from 'uvu'
import * as assert from 'uvu/assert'
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

/** Nothing to read, but a look. */
const lateEngine = (buffers: Set<ArrayBufferLike>) =>
  ({
    read(_id: number, buffer: Uint8Array) {
      buffers.add(buffer.buffer)
      return 0
    },
  }) as unknown as EngineConnection

test.run()
