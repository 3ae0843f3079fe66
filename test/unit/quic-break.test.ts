import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tunings } from '../../tunnel/quic/tuning.ts'
import { enginePairs } from '../support/engines.ts'
import {
  forgotten,
  listenTo,
  nextStream,
  openControl,
  openStream,
  type QuicPair,
  quicPair,
} from '../support/quic-pair.ts'
import { until } from '../support/until.ts'

for (const { name, engines } of await enginePairs()) {
  const test = suite<{ pair: QuicPair }>(`the break of a stream, ${name}`)

  test.before.each(async context => {
    context.pair = await quicPair({ engines })
    await openControl(context.pair)
  })
  test.after.each(({ pair }) => pair.close())

  test('comes behind all that was written, however late that is read', async ({ pair }) => {
    const { near, far } = await openStream(pair)
    const chunk = Buffer.alloc(1_000_000, 'x')
    far.write(chunk)
    far.abort()
    // Nobody owns this end yet, and more than its window is on the way.
    await new Promise(resolve => setImmediate(resolve))
    assert.not(near.aborted)
    const heard = listenTo(near)
    await until(() => heard.closed, 'the break')
    assert.equal([heard.text.length, heard.ended, heard.broken], [chunk.length, false, true])
    await forgotten(pair)
  })

  test('behind an end comes after the end', async ({ pair }) => {
    const { near, far } = await openStream(pair)
    far.write(Buffer.from('bye'))
    far.end()
    const heard = listenTo(near)
    await until(() => heard.ended, 'the end')
    assert.not(heard.closed)
    far.abort()
    await until(() => heard.closed, 'the break')
    assert.equal([heard.text, heard.broken], ['bye', true])
    await forgotten(pair)
  })

  test('that crosses the other end is answered, although the stream is over there', async ({ pair }) => {
    const { near, far } = await openStream(pair)
    listenTo(far)
    far.end()
    const heard = listenTo(near)
    near.end()
    near.abort()
    await until(() => heard.closed, 'the answer')
    await forgotten(pair)
  })

  test('may be told before the stream has come', async ({ pair: { client, exit } }) => {
    const near = client.connection.open()
    exit.connection.breakAt(near.id, 4)
    const arriving = nextStream(exit)
    near.write(Buffer.from('four'))
    const heard = listenTo(await arriving)
    await until(() => heard.closed, 'the break')
    assert.equal([heard.text, heard.broken], ['four', true])
  })

  test('ends what the other end writes: nobody waits for room for ever', async ({ pair }) => {
    const { near, far } = await openStream(pair)
    let closed = false
    near.attach({
      data() {},
      end() {},
      drain() {},
      close() {
        closed = true
      },
    })
    // Nobody reads at the far end: this fills its window.
    while (near.write(Buffer.alloc(1_000_000))) await new Promise(resolve => setImmediate(resolve))
    far.write(Buffer.from('x'))
    far.abort()
    await until(() => closed, 'the writer to be let go')
    assert.ok(near.write(Buffer.from('late')))
    await forgotten(pair)
  })

  test('gives the credit for the stream back, whoever breaks it', async ({ pair: { client, exit } }) => {
    // Twice as many as may be open at once.
    let broken = 0
    exit.connection.onStream = stream => {
      stream.attach({
        data() {
          stream.write(Buffer.from('answer'))
          if (stream.id % 8 === 0) stream.end()
          if (stream.id % 16 < 8) stream.abort()
        },
        end() {},
        drain() {},
        close() {},
      })
    }
    for (let opened = 0; opened < 2 * tunings.client.maxStreams; opened++) {
      await until(() => opened - broken < 500, 'streams to be over')
      const stream = client.connection.open()
      stream.write(Buffer.from('x'))
      if (opened % 3 === 0) stream.end()
      stream.attach({
        data: () => stream.id % 16 >= 8 && stream.abort(),
        end() {},
        drain() {},
        close() {
          broken++
        },
      })
    }
  })

  test('of thousands at once leaves the session as it is', async ({ pair }) => {
    const { client, exit } = pair
    const count = 3_000
    let broken = 0
    exit.connection.onStream = stream => {
      stream.attach({
        data() {},
        end() {},
        drain() {},
        close(how) {
          if (how) broken++
        },
      })
    }
    const streams = Array.from({ length: count }, () => client.connection.open())
    for (const stream of streams) stream.write(Buffer.from('x'))
    for (const stream of streams) stream.abort()
    await forgotten(pair)
    assert.is(client.connection.closeReason, undefined)
    // Those that could not be told so were reset, and may never have come.
    assert.ok(broken > 0 && broken <= count)
  })

  test.run()
}
