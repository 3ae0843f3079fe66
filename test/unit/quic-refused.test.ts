import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { content } from '../lab/content.ts'
import { nextStream, type QuicPair, quicPair, readAll } from '../support/quic-pair.ts'
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
  const answer = readAll(near)
  stream.end()
  await answer
  stream.abort()
  return near
}

test('breaks the writer that waits', async ({ pair }) => {
  const near = await refused(pair)
  let aborted = false
  near.onAborted = () => {
    aborted = true
  }
  const chunk = content(100_000)
  near.onWritable = () => {
    while (!aborted && near.write(chunk) === chunk.length);
  }
  near.onWritable()
  await until(() => aborted, 'the writer to be told')
})

test('breaks the writer that has nothing to write', async ({ pair }) => {
  const near = await refused(pair)
  await until(() => near.aborted, 'the stream to be aborted')
  assert.is(pair.client.connection.streams, 0)
})

test.run()
