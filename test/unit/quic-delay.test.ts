import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nextStream, type QuicPair, quicPair, readAll, writeAll } from '../support/quic-pair.ts'

const delayMs = 40
const test = suite<{ pair: QuicPair }>('a path with delay')

test.before.each(async context => {
  context.pair = await quicPair({ delayMs })
})
test.after.each(({ pair }) => pair.close())

test('is never read as a shorter one, however much is on its way', async ({ pair: { client, exit } }) => {
  const opened = nextStream(client)
  const stream = exit.connection.open()
  const written = writeAll(stream, new Uint8Array(4_000_000))
  const received = readAll(await opened)
  let shortest = Number.POSITIVE_INFINITY
  const reading = setInterval(() => {
    shortest = Math.min(shortest, exit.connection.stats().rttMs)
  }, 1)
  await written
  assert.is((await received).length, 4_000_000)
  clearInterval(reading)
  // Timers round down by less than a millisecond.
  assert.ok(shortest >= delayMs - 2, `${shortest} ms`)
})

test.run()
