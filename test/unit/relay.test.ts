import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Conn } from '../../tunnel/net/conn.ts'
import type { QuicStream } from '../../tunnel/quic/stream.ts'
import { type RelayEnd, relay } from '../../tunnel/session/relay.ts'
import { content, sha256 } from '../lab/content.ts'
import { nextStream, type QuicPair, quicPair, readAll, writeAll } from '../support/quic-pair.ts'
import { until } from '../support/until.ts'

/** A TCP connection that takes as much as the test lets it. */
interface FakeConn extends Conn {
  written: Buffer[]
  /** False: the next chunk is kept, as by a peer that does not read. */
  taking: boolean
  /** Chunks that it was given and has not taken. */
  held: Uint8Array[]
  said: string[]
  /** Takes what it holds. */
  drain(): void
}

function fakeConn(): FakeConn {
  const take = (chunk: Uint8Array) => void conn.written.push(Buffer.from(chunk))
  const conn: FakeConn = {
    onData() {},
    onEnd() {},
    onDrain() {},
    onClose() {},
    written: [],
    taking: true,
    held: [],
    said: [],
    write(chunk) {
      if (conn.taking) take(chunk)
      else conn.held.push(chunk)
      return conn.taking
    },
    drain() {
      for (const chunk of conn.held.splice(0)) take(chunk)
      conn.onDrain()
    },
    end: () => void conn.said.push('end'),
    abort: () => void conn.said.push('abort'),
    pause: () => void conn.said.push('pause'),
    resume: () => void conn.said.push('resume'),
  }
  return conn
}

interface Context {
  pair: QuicPair
  conn: FakeConn
  /** The relay's stream, and the other end of it. */
  near: QuicStream
  far: QuicStream
  counts: { fromConn: number; toConn: number }
  ends: RelayEnd[]
}

const test = suite<Context>('relay')
const hashOf = (conn: FakeConn) => sha256(Buffer.concat(conn.written))

test.before.each(async context => {
  context.pair = await quicPair()
  const arriving = nextStream(context.pair.exit)
  context.far = context.pair.client.connection.open()
  context.far.write(Buffer.from('!'))
  context.near = await arriving
  context.near.read(new Uint8Array(1))
  context.conn = fakeConn()
  context.counts = { fromConn: 0, toConn: 0 }
  context.ends = []
  relay(context.conn, context.near, { counts: context.counts, onEnd: how => context.ends.push(how) })
})
test.after.each(({ pair }) => pair.close())

test('what the stream brings is written to the Conn as it was, and its end is passed on', async ({
  far,
  conn,
  counts,
  ends,
}) => {
  const bytes = content(5_000_000)
  await writeAll(far, bytes)
  await until(() => conn.said.includes('end'), 'the end')
  assert.is(hashOf(conn), sha256(bytes))
  assert.is(counts.toConn, bytes.length)
  assert.equal(ends, [])
})

test('what the Conn brings is written to the stream as it was, and its end is passed on', async ({
  far,
  conn,
  counts,
}) => {
  const bytes = content(200_000)
  const received = readAll(far)
  // The connection's buffer is only lent.
  const lent = Buffer.alloc(1_000)
  for (let at = 0; at < bytes.length; at += lent.length) {
    bytes.copy(lent, 0, at)
    conn.onData(lent)
    lent.fill(0)
    const paused = () => conn.said.lastIndexOf('pause') > conn.said.lastIndexOf('resume')
    await until(() => !paused(), 'the Conn to be resumed')
  }
  conn.onEnd()
  assert.equal(await received, { length: bytes.length, hash: sha256(bytes) })
  assert.is(counts.fromConn, bytes.length)
})

test('each direction ends by itself, and the relay is complete when both have', async ({
  far,
  conn,
  ends,
}) => {
  conn.onData(Buffer.from('question'))
  conn.onEnd()
  assert.is((await readAll(far)).length, 8)
  assert.equal(ends, [])
  await writeAll(far, content(300_000))
  await until(() => ends.length > 0, 'the end of the relay')
  assert.equal(ends, ['complete'])
  assert.is(hashOf(conn), sha256(content(300_000)))
  assert.equal(
    conn.said.filter(word => word === 'abort'),
    [],
  )
})

test('a Conn that does not take its data holds one chunk, and the writer at the other end stops', async ({
  far,
  conn,
  counts,
}) => {
  conn.taking = false
  const bytes = content(20_000_000)
  let done = false
  const written = writeAll(far, bytes).then(() => {
    done = true
  })
  await until(() => conn.held.length === 1, 'the first chunk')
  // Everything that can move has moved when the two ends have had many turns.
  for (let i = 0; i < 200; i++) await new Promise(resolve => setImmediate(resolve))
  assert.is(conn.held.length, 1)
  assert.ok(counts.toConn <= 64 * 1024)
  assert.not(done)

  conn.taking = true
  conn.drain()
  await written
  await until(() => conn.said.includes('end'), 'the end')
  assert.is(hashOf(conn), sha256(bytes))
})

test('a Conn that drains chunk by chunk gets all of it, in order', async ({ far, conn }) => {
  conn.taking = false
  const bytes = content(1_000_000)
  const written = writeAll(far, bytes)
  while (!conn.said.includes('end')) {
    await until(() => conn.held.length > 0 || conn.said.includes('end'), 'a chunk or the end')
    assert.ok(conn.held.length <= 1)
    if (conn.held.length > 0) conn.drain()
  }
  await written
  assert.is(hashOf(conn), sha256(bytes))
})

test('a stream that takes no more pauses the Conn, and resumes it', async ({ far, conn, ends }) => {
  const chunk = content(65_536)
  let sent = 0
  while (!conn.said.includes('pause')) {
    conn.onData(chunk)
    sent += chunk.length
    assert.ok(sent < 64_000_000, 'nothing ever stops the Conn')
    if (!conn.said.includes('pause')) await new Promise(resolve => setImmediate(resolve))
  }
  conn.onEnd()
  const { length } = await readAll(far)
  assert.is(length, sent)
  far.end()
  await until(() => ends.length > 0, 'the end of the relay')
  assert.equal(ends, ['complete'])
})

test('a stream that is aborted breaks the Conn', async ({ far, conn, ends }) => {
  far.abort()
  await until(() => ends.length > 0, 'the end of the relay')
  assert.equal(ends, ['stream-aborted'])
  assert.equal(conn.said, ['abort'])
})

test('a Conn that is gone breaks the stream', async ({ far, conn, ends }) => {
  const buffer = new Uint8Array(10)
  far.onReadable = () => far.read(buffer)
  conn.onClose()
  assert.is(ends.length, 1)
  await until(() => far.aborted, 'the stream to be aborted')
  // Whatever the connection still says is nobody's any more.
  conn.onData(Buffer.from('late'))
  conn.onEnd()
  conn.onClose()
  assert.is(ends.length, 1)
})

test('a connection that is lost breaks the Conn', async ({ pair, conn, ends }) => {
  pair.client.connection.close()
  await until(() => ends.length > 0, 'the end of the relay')
  assert.equal(ends, ['stream-aborted'])
  assert.equal(conn.said, ['abort'])
})

test.run()
