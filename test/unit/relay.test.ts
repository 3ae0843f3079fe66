import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { QuicStream } from '../../tunnel/quic/stream.ts'
import { type RelayLimits, relay } from '../../tunnel/session/relay.ts'
import type { RelayEnd } from '../../tunnel/session/relay-report.ts'
import { content, sha256 } from '../lab/content.ts'
import { FakeConn } from '../support/fake-conn.ts'
import { listenTo, nextStream, type QuicPair, quicPair, readAll, writeAll } from '../support/quic-pair.ts'
import { until } from '../support/until.ts'

interface Context {
  pair: QuicPair
  conn: FakeConn
  /** The relay's stream, and the other end of it. */
  near: QuicStream
  far: QuicStream
  counts: { up: number; down: number }
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
  // The byte that opened it is not the relay's.
  await new Promise<void>(resolve => {
    const detach = context.near.attach({
      data() {
        detach()
        resolve()
      },
      end() {},
      drain() {},
      close() {},
    })
  })
  context.conn = new FakeConn()
  context.counts = { up: 0, down: 0 }
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
  assert.is(counts.down, bytes.length)
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
    conn.sayData(lent)
    const paused = () => conn.said.lastIndexOf('pause') > conn.said.lastIndexOf('resume')
    await until(() => !paused(), 'the Conn to be resumed')
    lent.fill(0)
  }
  conn.sayEnd()
  assert.equal(await received, { length: bytes.length, hash: sha256(bytes) })
  assert.is(counts.up, bytes.length)
})

test('each direction ends by itself, and the relay is complete when both have', async ({
  far,
  conn,
  ends,
}) => {
  conn.sayData(Buffer.from('question'))
  conn.sayEnd()
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
  assert.ok(counts.down <= 64 * 1024)
  assert.not(done)

  conn.taking = true
  conn.take()
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
    if (conn.held.length > 0) conn.take()
  }
  await written
  assert.is(hashOf(conn), sha256(bytes))
})

test('a stream that takes no more pauses the Conn, and resumes it', async ({ far, conn, ends }) => {
  const chunk = content(65_536)
  let sent = 0
  while (!conn.said.includes('pause')) {
    conn.sayData(chunk)
    sent += chunk.length
    assert.ok(sent < 64_000_000, 'nothing ever stops the Conn')
    if (!conn.said.includes('pause')) await new Promise(resolve => setImmediate(resolve))
  }
  conn.sayEnd()
  const { length } = await readAll(far)
  assert.is(length, sent)
  far.end()
  await until(() => ends.length > 0, 'the end of the relay')
  assert.equal(ends, ['complete'])
})

test('a stream that is aborted breaks the Conn', async ({ far, conn, ends }) => {
  far.abort()
  await until(() => ends.length > 0, 'the end of the relay')
  assert.equal(ends, ['target-closed'])
  assert.equal(conn.said.at(-1), 'abort')
})

test('a Conn that is gone breaks the stream', async ({ far, conn, ends }) => {
  listenTo(far)
  conn.sayClose(true)
  assert.is(ends.length, 1)
  await until(() => far.aborted, 'the stream to be aborted')
  // Whatever the connection still says is nobody's any more.
  conn.sayData(Buffer.from('late'))
  conn.sayEnd()
  conn.sayClose(true)
  assert.is(ends.length, 1)
})

test('a connection that is lost breaks the Conn', async ({ pair, conn, ends }) => {
  pair.client.connection.close()
  await until(() => ends.length > 0, 'the end of the relay')
  assert.equal(ends, ['target-closed'])
  assert.equal(conn.said.at(-1), 'abort')
})

interface Joined {
  client: FakeConn
  target: FakeConn
  ends: RelayEnd[]
}

/** Two connections of the test's own, joined; limits that are not given are never reached. */
function join(limits: Partial<RelayLimits> = {}): Joined {
  const joined: Joined = { client: new FakeConn(), target: new FakeConn(), ends: [] }
  relay(joined.client, joined.target, {
    onEnd: how => joined.ends.push(how),
    limits: { halfClosedMs: 1_000_000, goodbyeMs: 1_000_000, ...limits },
  })
  return joined
}
const saidAbort = ({ said }: FakeConn) => said.includes('abort')

test('what was said before the relay, and is still being kept, holds the other side back', async () => {
  const client = new FakeConn()
  const target = new FakeConn()
  client.taking = false
  client.write(Buffer.from('reply'))
  relay(client, target)
  target.sayData(Buffer.from('answer'))
  await until(() => target.said.includes('pause'), 'the target to be paused')
  assert.equal(client.held.map(String), ['reply'])
  client.taking = true
  client.take()
  await until(() => client.written.length === 2, 'the answer')
  assert.equal(client.written.map(String), ['reply', 'answer'])
})

test('of two that stand still half closed both are given up, but not of one that is slow to take something', async () => {
  const silent = join({ halfClosedMs: 20 })
  silent.target.sayEnd()
  await until(() => saidAbort(silent.client) && saidAbort(silent.target), 'both to be given up')

  const slow = join({ halfClosedMs: 20 })
  slow.client.taking = false
  slow.target.sayData(Buffer.from('x'))
  slow.target.sayEnd()
  const other = join({ halfClosedMs: 200 })
  other.target.sayEnd()
  await until(() => saidAbort(other.client), 'a longer limit to be reached')
  assert.not(saidAbort(slow.client) || saidAbort(slow.target))
  slow.client.take()
  await until(() => saidAbort(slow.client), 'it to be given up')
})

test('who leaves in good order is followed in good order, within a limit', async () => {
  const { client, target, ends } = join({ goodbyeMs: 20 })
  client.sayEnd()
  client.sayClose(false)
  await until(() => ends.length > 0, 'the end')
  assert.equal(ends, ['complete'])
  assert.ok(target.said.includes('end'))
  // What it still says is nobody's, and holds nobody up.
  target.sayData(Buffer.from('late'))
  await until(() => saidAbort(target), 'the limit')

  const ending = join({ goodbyeMs: 20 })
  ending.client.sayEnd()
  ending.client.sayClose(false)
  ending.target.sayEnd()
  ending.target.sayClose(false)
  const other = join({ goodbyeMs: 200 })
  other.client.sayEnd()
  other.client.sayClose(false)
  await until(() => saidAbort(other.target), 'a longer limit to be reached')
  assert.not(saidAbort(ending.target))
})

test('who lets go of a relay has both connections back, and nothing of them is lost', async () => {
  const client = new FakeConn()
  const target = new FakeConn()
  const letGo = relay(client, target)
  await until(() => client.said.includes('resume'), 'the relay')
  letGo(Buffer.from('read too far'))
  client.sayData(Buffer.from(', and more'))
  const heard = listenTo(client)
  await until(() => heard.text === 'read too far, and more', 'what came')
  listenTo(target)
  assert.equal(target.written, [])
})

test.run()
