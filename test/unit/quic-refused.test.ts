import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { content } from '../lab/content.ts'
import { listenTo, nextStream, type QuicPair, quicPair } from '../support/quic-pair.ts'
import { until } from '../support/until.ts'

const test = suite<{ pair: QuicPair }>('a stream whose reader has gone')

test.before.each(async context => {
  context.pair = await quicPair()
})
test.after.each(({ pair }) => pair.close())

/** The other end has ended its direction, and then breaks off: nothing but "no more of yours" is left to say. */
async function refused({ client, exit }: QuicPair) {
  const far = nextStream(exit)
  const near = client.connection.open()
  near.write(Buffer.from('question'))
  const stream = await far
  const heard = listenTo(near)
  stream.end()
  await until(() => heard.ended, 'the end')
  stream.abort(0)
  return { near, heard }
}

test('breaks the writer that waits', async ({ pair }) => {
  const { near, heard } = await refused(pair)
  while (!near.full && !heard.closed) near.write(content(100_000))
  await until(() => heard.closed, 'the writer to be told')
  assert.ok(heard.broken)
})

test('breaks the writer that has nothing to write', async ({ pair }) => {
  const { heard } = await refused(pair)
  await until(() => heard.closed, 'the stream to be given up')
  assert.ok(heard.broken)
  assert.is(pair.client.connection.streams, 0)
})

test.run()
