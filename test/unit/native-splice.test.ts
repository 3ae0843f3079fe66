import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connectByEngine } from '../../function/engine-outlet.ts'
import { connectByNode } from '../../function/node-outlet.ts'
import { enginePairs } from '../support/engines.ts'
import { freePort } from '../support/free-port.ts'
import {
  dial,
  host,
  type JoinContext,
  type Joined,
  join,
  joined,
  settled,
  targetsOf,
} from '../support/joined-target.ts'
import { openSockets } from '../support/open-sockets.ts'
import {
  listenTo,
  nextStream,
  openControl,
  openStream,
  type QuicPair,
  quicPair,
} from '../support/quic-pair.ts'
import { listenRaw } from '../support/raw-end.ts'
import { until } from '../support/until.ts'

// Streams that are joined with targets, by the engine's own sockets and by Node's: the same of both.

const ways = (await enginePairs())
  .filter(({ engines }) => engines[1].name === 'native')
  .flatMap(pair => [
    { ...pair, name: `${pair.name}, targets of the engine's`, byEngine: process.platform === 'linux' },
    { ...pair, name: `${pair.name}, targets of Node's`, byEngine: false },
  ])

for (const { name, engines, byEngine } of ways) {
  const test = suite<JoinContext>(`a stream and its target, ${name}`)

  const connectFrom = (pair: QuicPair) => (byEngine ? connectByEngine(targetsOf(pair)) : connectByNode)

  test.before.each(async context => {
    context.pair = await quicPair({ engines })
    await openControl(context.pair)
    context.connect = connectFrom(context.pair)
    context.origin = listenRaw()
    context.gone = 0
  })
  test.after.each(({ pair, origin }) => {
    pair.close()
    origin.close()
  })

  test('carry all that is said both ways, and each end by itself', async context => {
    const { near, target } = await joined(context)
    const [up, down] = ['u', 'd'].map(letter => Buffer.alloc(3_000_000, letter))
    const heard = listenTo(near)
    near.write(up!)
    near.end()
    await until(() => target.ended && target.length === up!.length + 1, 'the request')
    assert.not(heard.closed)
    target.write(down!)
    target.end()
    await until(() => heard.closed && target.closed !== undefined, 'both ends')
    assert.equal([heard.text.length, heard.ended, heard.broken], [down!.length, true, false])
    assert.is(target.closed, 'in order')
    await settled(context)
  })

  test('an end that comes first from the target leaves the other direction as it is', async context => {
    const { near, target } = await joined(context)
    const heard = listenTo(near)
    target.write('bye')
    target.end()
    await until(() => heard.ended, "the target's end")
    near.write(Buffer.alloc(1_000_000))
    near.end()
    await until(() => heard.closed && target.closed !== undefined, 'both ends')
    assert.equal(
      [heard.text, heard.broken, target.length, target.closed],
      ['bye', false, 1_000_001, 'in order'],
    )
    await settled(context)
  })

  test('a break of the client comes behind what it said before', async context => {
    const { near, target } = await joined(context)
    near.write(few)
    near.abort()
    await until(() => target.closed !== undefined, 'the break')
    assert.equal([target.closed, target.length], ['reset', few.length + 1])
    await settled(context)
  })

  test('a break that was told before the target was reached comes behind what was said before it', async context => {
    const { near, far } = await openStream(context.pair)
    near.write(few)
    near.abort()
    const { target } = await join(context, far)
    await until(() => target.closed !== undefined, 'the break')
    assert.equal([target.closed, target.length], ['reset', few.length + 1])
    await settled(context)
  })

  test('a break that is told before anything of its stream has come waits for what was said before it', async context => {
    const near = context.pair.client.connection.open()
    context.pair.exit.connection.breakAt(near.id, 4)
    const arriving = nextStream(context.pair.exit)
    near.write(Buffer.from('four'))
    const { target } = await join(context, await arriving)
    await until(() => target.closed !== undefined, 'the break')
    assert.equal([target.closed, target.text], ['reset', 'four'])
  })

  test('a break at the very moment of joining comes behind what was said before it', async context => {
    const { near, far } = await openStream(context.pair)
    const outlet = await dial(context)
    near.write(Buffer.from('said'))
    near.abort()
    outlet.join(far)
    await until(() => context.origin.ends[0]?.closed !== undefined, 'the break')
    const { closed, text } = context.origin.ends[0]!
    assert.equal([closed, text], ['reset', '!said'])
    await settled(context)
  })

  test('what was read of the stream before the two are joined, and its end, reach the target first', async context => {
    const { near, far } = await openStream(context.pair)
    near.write(Buffer.from('early'))
    near.end()
    let read = ''
    const detach = far.attach({
      data(chunk) {
        read += Buffer.from(chunk).toString()
      },
      ...{ end() {}, drain() {}, close() {} },
    })
    await until(() => read === '!early', 'what it said')
    detach(Buffer.from(read))
    const { target } = await join(context, far)
    await until(() => target.ended, 'the end')
    assert.is(target.text, '!early')
    const heard = listenTo(near)
    target.write('answer')
    target.end()
    await until(() => heard.closed, 'both ends')
    assert.equal([heard.text, heard.ended, heard.broken], ['answer', true, false])
    await settled(context)
  })

  test('what the stream has not taken when the two are joined reaches the client first', async context => {
    const { near, far } = await openStream(context.pair)
    const first = Buffer.alloc(30_000_000, 'f')
    assert.not(far.write(first))
    const { target } = await join(context, far)
    target.write('then')
    target.reset()
    await until(() => target.closed !== undefined || target.unsent === 0, 'the target to have spoken')
    const heard = listenTo(near)
    await until(() => heard.closed, 'the break')
    assert.equal(
      [heard.text.length, heard.text.slice(-4), heard.ended, heard.broken],
      [first.length + 4, 'then', false, true],
    )
    await settled(context)
  })

  test('a break of the target comes behind what it said before, to an end or to none', async context => {
    for (const ends of [false, true]) {
      const { near, target } = await joined(context)
      const heard = listenTo(near)
      near.write(Buffer.from('go'))
      if (ends) near.end()
      await until(() => target.text === '!go' && target.ended === ends, 'the request')
      target.write(few)
      target.reset()
      await until(() => heard.closed, 'the break')
      assert.equal([heard.text.length, heard.ended, heard.broken], [few.length, false, true])
      await settled(context)
    }
  })

  test('a target that broke before the two are joined breaks the stream behind what it said', async context => {
    const { near, far } = await openStream(context.pair)
    const outlet = await dial(context)
    await until(() => context.origin.ends.length === 1, 'the connection')
    context.origin.ends[0]!.write('last')
    context.origin.ends[0]!.reset()
    await until(() => context.origin.ends[0]!.closed !== undefined, 'the break')
    const heard = listenTo(near)
    outlet.join(far)
    far.write(new Uint8Array())
    await until(() => heard.closed, 'the break')
    assert.equal([heard.text, heard.broken], ['last', true])
    await settled(context)
  })

  test('the end of the session breaks the target off, and its place is free', async context => {
    for (const end of ['exit', 'client'] as const) {
      const { near, target } = await joined(context)
      const heard = listenTo(near)
      near.write(Buffer.from('said'))
      await until(() => target.text.endsWith('said'), 'what it said')
      context.pair[end].connection.close()
      await until(() => target.closed !== undefined && heard.closed, 'the break')
      assert.equal([target.closed, heard.broken, context.gone], ['reset', true, 1])
      if (end === 'client') return
      context.pair.close()
      context.pair = await quicPair({ engines })
      context.connect = connectFrom(context.pair)
      context.gone = 0
    }
  })

  test('a stream that is over leaves the target at once', async context => {
    const { far } = await openStream(context.pair)
    far.abort(0)
    const { target } = await join(context, far)
    await until(() => target.closed !== undefined, 'the end of the target')
    await until(() => context.gone === 1, 'its place')
  })

  test('a stream that is given up while it is joined is over, and so is its target', async context => {
    const { near, far, target } = await joined(context)
    const heard = listenTo(near)
    far.abort(0)
    far.abort(0)
    await until(() => heard.closed && target.closed !== undefined, 'the break')
    assert.equal([heard.broken, target.closed], [true, 'reset'])
    await settled(context)
  })

  test('a slow target slows the client down, and a slow client the target; nothing is lost', async context => {
    const { near, target } = await joined(context)
    const much = Buffer.alloc(40_000_000, 'm')
    target.pause()
    const heard = listenTo(near)
    near.pause()
    assert.not(near.write(much))
    near.end()
    target.write(much)
    target.end()
    await still(() => target.unsent)
    assert.ok(target.unsent > 0 && near.full)
    target.resume()
    near.resume()
    await until(() => heard.closed && target.closed !== undefined, 'both ends')
    assert.equal([heard.text.length, heard.ended, heard.broken], [much.length, true, false])
    assert.equal([target.length, target.closed], [much.length + 1, 'in order'])
    await settled(context)
  })

  test('where nobody listens the system says so', async ({ connect }) => {
    const error = await connect(host, await freePort()).outlet.catch(error => error)
    assert.is(error.code, 'ECONNREFUSED')
  })

  test('a target that is given up while it is being dialled tells nothing, and is left', async context => {
    const { connect, origin } = context
    let told = false
    const tell = () => {
      told = true
    }
    const attempts = Array.from({ length: 20 }, () => connect(host, origin.port))
    for (const attempt of attempts) {
      if (byEngine) attempt.outlet.then(tell, tell)
      else attempt.outlet.catch(() => {})
      queueMicrotask(() => attempt.cancel())
    }
    // Those behind them were dialled later.
    const { near, target } = await joined(context)
    await until(
      () => origin.ends.every(end => end === target || end.closed !== undefined),
      'the others to be left',
    )
    assert.not(told)
    near.abort(0)
  })

  if (process.platform === 'linux')
    test('nothing is left of connections that have ended in every way', async context => {
      const before = openSockets('self')
      const waves = 10
      const [bothEnd, breaks, gives, givesUp, resets, cuts] = [
        ({ near, target }: Joined) => [near.end(), target.end()],
        ({ near }: Joined) => near.abort(),
        ({ near }: Joined) => near.abort(0),
        ({ far }: Joined) => far.abort(0),
        ({ target }: Joined) => target.reset(),
        ({ target }: Joined) => target.cut(),
      ]
      const speaks = ({ near }: Joined) => near.write(Buffer.alloc(200_000))
      const endings: ((joined: Joined) => unknown)[][] = [
        ...[[bothEnd], [breaks], [gives], [givesUp], [resets], [cuts], [resets, breaks], [breaks, resets]],
        ...[
          [bothEnd, resets],
          [bothEnd, breaks],
          [speaks, breaks, cuts],
          [speaks, bothEnd],
          [speaks, cuts],
        ],
      ]
      for (let wave = 0; wave < waves; wave++) {
        const all: Joined[] = []
        for (const _ of endings) all.push(await joined(context))
        const heard = all.map(({ near }) => listenTo(near))
        for (const [i, steps] of endings.entries()) for (const step of steps) step(all[i]!)
        await until(() => heard.every(({ closed }) => closed), `the end of all, wave ${wave + 1}`)
      }
      await settled(context)
      assert.is(context.gone, waves * endings.length)
      await until(
        () => context.origin.ends.every(({ closed }) => closed !== undefined),
        'the ends of the targets',
      )
      await until(() => openSockets('self') <= before, 'all sockets to be closed')
    })

  test.run()
}

// --- internal ---

/** A system takes so much at once, and gives it to whoever reads before a reset throws it away. */
const few = Buffer.alloc(20_000)

/** Waits until this has not changed for a while. */
async function still(value: () => number): Promise<void> {
  let before = value()
  let same = 0
  await until(() => {
    const now = value()
    same = now === before ? same + 1 : 0
    before = now
    return same > 40
  }, 'all to stand still')
}
