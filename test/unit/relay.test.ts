import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { QuicStream } from '../../tunnel/quic/stream.ts'
import { type RelayEnd, relay, type Wire } from '../../tunnel/session/relay.ts'
import { content, sha256 } from '../lab/content.ts'
import { nextStream, type QuicPair, quicPair, readAll, writeAll } from '../support/quic-pair.ts'
import { until } from '../support/until.ts'

/** A TCP connection that takes as much as the test lets it. */
interface FakeWire extends Wire {
  written: Buffer[]
  /** False: the next chunk is kept, as by a peer that does not read. */
  taking: boolean
  /** Chunks that it was given and has not taken. */
  held: Uint8Array[]
  said: string[]
  /** Takes what it holds. */
  drain(): void
}

function fakeWire(): FakeWire {
  const take = (chunk: Uint8Array) => void wire.written.push(Buffer.from(chunk))
  const wire: FakeWire = {
    onData() {},
    onEnd() {},
    onDrain() {},
    onClose() {},
    written: [],
    taking: true,
    held: [],
    said: [],
    write(chunk) {
      if (wire.taking) take(chunk)
      else wire.held.push(chunk)
      return wire.taking
    },
    drain() {
      for (const chunk of wire.held.splice(0)) take(chunk)
      wire.onDrain()
    },
    end: () => void wire.said.push('end'),
    abort: () => void wire.said.push('abort'),
    pause: () => void wire.said.push('pause'),
    resume: () => void wire.said.push('resume'),
  }
  return wire
}

interface Context {
  pair: QuicPair
  wire: FakeWire
  /** The relay's stream, and the other end of it. */
  near: QuicStream
  far: QuicStream
  counts: { fromWire: number; toWire: number }
  ends: RelayEnd[]
}

const test = suite<Context>('relay')
const hashOf = (wire: FakeWire) => sha256(Buffer.concat(wire.written))

test.before.each(async context => {
  context.pair = await quicPair()
  const arriving = nextStream(context.pair.exit)
  context.far = context.pair.client.connection.open()
  context.far.write(Buffer.from('!'))
  context.near = await arriving
  context.near.read(new Uint8Array(1))
  context.wire = fakeWire()
  context.counts = { fromWire: 0, toWire: 0 }
  context.ends = []
  relay(context.wire, context.near, { counts: context.counts, onEnd: how => context.ends.push(how) })
})
test.after.each(({ pair }) => pair.close())

test('what the stream brings is written to the wire as it was, and its end is passed on', async ({
  far,
  wire,
  counts,
  ends,
}) => {
  const bytes = content(5_000_000)
  await writeAll(far, bytes)
  await until(() => wire.said.includes('end'), 'the end')
  assert.is(hashOf(wire), sha256(bytes))
  assert.is(counts.toWire, bytes.length)
  assert.equal(ends, [])
})

test('what the wire brings is written to the stream as it was, and its end is passed on', async ({
  far,
  wire,
  counts,
}) => {
  const bytes = content(200_000)
  const received = readAll(far)
  // The wire's buffer is only lent.
  const lent = Buffer.alloc(1_000)
  for (let at = 0; at < bytes.length; at += lent.length) {
    bytes.copy(lent, 0, at)
    wire.onData(lent)
    lent.fill(0)
    const paused = () => wire.said.lastIndexOf('pause') > wire.said.lastIndexOf('resume')
    await until(() => !paused(), 'the wire to be resumed')
  }
  wire.onEnd()
  assert.equal(await received, { length: bytes.length, hash: sha256(bytes) })
  assert.is(counts.fromWire, bytes.length)
})

test('each direction ends by itself, and the relay is complete when both have', async ({
  far,
  wire,
  ends,
}) => {
  wire.onData(Buffer.from('question'))
  wire.onEnd()
  assert.is((await readAll(far)).length, 8)
  assert.equal(ends, [])
  await writeAll(far, content(300_000))
  await until(() => ends.length > 0, 'the end of the relay')
  assert.equal(ends, ['complete'])
  assert.is(hashOf(wire), sha256(content(300_000)))
  assert.equal(
    wire.said.filter(word => word === 'abort'),
    [],
  )
})

test('a wire that does not take its data holds one chunk, and the writer at the other end stops', async ({
  far,
  wire,
  counts,
}) => {
  wire.taking = false
  const bytes = content(20_000_000)
  let done = false
  const written = writeAll(far, bytes).then(() => {
    done = true
  })
  await until(() => wire.held.length === 1, 'the first chunk')
  // Everything that can move has moved when the two ends have had many turns.
  for (let i = 0; i < 200; i++) await new Promise(resolve => setImmediate(resolve))
  assert.is(wire.held.length, 1)
  assert.ok(counts.toWire <= 64 * 1024)
  assert.not(done)

  wire.taking = true
  wire.drain()
  await written
  await until(() => wire.said.includes('end'), 'the end')
  assert.is(hashOf(wire), sha256(bytes))
})

test('a wire that drains chunk by chunk gets all of it, in order', async ({ far, wire }) => {
  wire.taking = false
  const bytes = content(1_000_000)
  const written = writeAll(far, bytes)
  while (!wire.said.includes('end')) {
    await until(() => wire.held.length > 0 || wire.said.includes('end'), 'a chunk or the end')
    assert.ok(wire.held.length <= 1)
    if (wire.held.length > 0) wire.drain()
  }
  await written
  assert.is(hashOf(wire), sha256(bytes))
})

test('a stream that takes no more pauses the wire, and resumes it', async ({ far, wire, ends }) => {
  const chunk = content(65_536)
  let sent = 0
  while (!wire.said.includes('pause')) {
    wire.onData(chunk)
    sent += chunk.length
    assert.ok(sent < 64_000_000, 'nothing ever stops the wire')
    if (!wire.said.includes('pause')) await new Promise(resolve => setImmediate(resolve))
  }
  wire.onEnd()
  const { length } = await readAll(far)
  assert.is(length, sent)
  far.end()
  await until(() => ends.length > 0, 'the end of the relay')
  assert.equal(ends, ['complete'])
})

test('a stream that is aborted breaks the wire', async ({ far, wire, ends }) => {
  far.abort()
  await until(() => ends.length > 0, 'the end of the relay')
  assert.equal(ends, ['stream-aborted'])
  assert.equal(wire.said, ['abort'])
})

test('a wire that is gone breaks the stream', async ({ far, wire, ends }) => {
  const buffer = new Uint8Array(10)
  far.onReadable = () => far.read(buffer)
  wire.onClose()
  assert.is(ends.length, 1)
  await until(() => far.aborted, 'the stream to be aborted')
  // Whatever the wire still says is nobody's any more.
  wire.onData(Buffer.from('late'))
  wire.onEnd()
  wire.onClose()
  assert.is(ends.length, 1)
})

test('a connection that is lost breaks the wire', async ({ pair, wire, ends }) => {
  pair.client.connection.close()
  await until(() => ends.length > 0, 'the end of the relay')
  assert.equal(ends, ['stream-aborted'])
  assert.equal(wire.said, ['abort'])
})

test.run()
