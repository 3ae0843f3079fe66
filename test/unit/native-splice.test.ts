import { readdirSync, readlinkSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connectByEngine } from '../../function/engine-outlet.ts'
import { connectByNode } from '../../function/node-outlet.ts'
import type { Connect, Outlet } from '../../function/outlet.ts'
import type { EngineTargets } from '../../tunnel/quic/engine-connection.ts'
import type { QuicStream } from '../../tunnel/quic/stream.ts'
import { controlStream } from '../../tunnel/session/control-stream.ts'
import { enginePairs } from '../support/engines.ts'
import { freePort } from '../support/free-port.ts'
import { type Heard, listenTo, nextStream, type QuicPair, quicPair } from '../support/quic-pair.ts'
import { listenRaw, type RawEnd, type RawListener } from '../support/raw-end.ts'
import { until } from '../support/until.ts'

// Streams that are joined with targets, by the engine's own sockets and by Node's: the same of both.

const host = '127.0.0.1'

interface Context {
  pair: QuicPair
  connect: Connect
  origin: RawListener
  /** Targets that were told to be closed. */
  gone: number
}

interface Joined {
  near: QuicStream
  far: QuicStream
  outlet: Outlet
  target: RawEnd
}

const pairs = await enginePairs()
const ways = pairs
  .filter(({ engines }) => engines[1].name === 'native')
  .flatMap(pair => [
    { ...pair, name: `${pair.name}, targets of the engine's`, byEngine: process.platform === 'linux' },
    { ...pair, name: `${pair.name}, targets of Node's`, byEngine: false },
  ])

for (const { name, engines, byEngine } of ways) {
  const test = suite<Context>(`a stream and its target, ${name}`)

  test.before.each(async context => {
    const pair = await quicPair({ engines })
    context.pair = pair
    const greeting = nextStream(pair.client)
    controlStream(pair.exit.connection, pair.exit.connection.open()).send({ type: 'ping', id: 1 })
    controlStream(pair.client.connection, await greeting)
    context.connect = byEngine ? connectByEngine(targetsOf(pair)) : connectByNode
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

  test('so does one that was told before the target was reached', async context => {
    const { near, far } = await opened(context)
    near.write(few)
    near.abort()
    const { target } = await join(context, far)
    await until(() => target.closed !== undefined, 'the break')
    assert.equal([target.closed, target.length], ['reset', few.length + 1])
    await settled(context)
  })

  test('so does one that is told before anything of the stream has come', async context => {
    const near = context.pair.client.connection.open()
    context.pair.exit.connection.breakAt(near.id, 4)
    const arriving = nextStream(context.pair.exit)
    near.write(Buffer.from('four'))
    const { target } = await join(context, await arriving)
    await until(() => target.closed !== undefined, 'the break')
    assert.equal([target.closed, target.text], ['reset', 'four'])
  })

  test('a break at the very moment of joining is one', async context => {
    const { near, far } = await opened(context)
    const outlet = await dial(context)
    near.write(Buffer.from('said'))
    near.abort()
    outlet.join(far)
    await until(() => context.origin.ends[0]?.closed !== undefined, 'the break')
    const { closed, text } = context.origin.ends[0]!
    assert.equal([closed, text], ['reset', '!said'])
    await settled(context)
  })

  test('what was read, and the end, before they are joined goes first', async context => {
    const { near, far } = await opened(context)
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

  test('what the stream had not taken when they were joined goes first', async context => {
    const { near, far } = await opened(context)
    const first = Buffer.alloc(30_000_000, 'f')
    assert.not(far.write(first))
    const { target } = await join(context, far)
    target.write('then')
    target.reset()
    await until(() => target.closed !== undefined || target.unsent === 0, 'the target to have spoken')
    const heard = count(near)
    await until(() => heard.closed, 'the break')
    assert.equal(
      [heard.length, heard.last, heard.ended, heard.broken],
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

  test('a target that was broken before they are joined is told as that', async context => {
    const { near, far } = await opened(context)
    const outlet = await dial(context)
    await until(() => context.origin.ends.length === 1, 'the connection')
    context.origin.ends[0]!.write('last')
    context.origin.ends[0]!.reset()
    await until(() => context.origin.ends[0]!.closed !== undefined, 'the break')
    const heard = listenTo(near)
    outlet.join(far)
    far.write(nothing)
    await until(() => heard.closed, 'the break')
    assert.equal([heard.text, heard.broken], ['last', true])
    await settled(context)
  })

  test('with the session the target breaks off, and its place is free', async context => {
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
      context.connect = byEngine ? connectByEngine(targetsOf(context.pair)) : connectByNode
      context.gone = 0
    }
  })

  test('a stream that is over leaves the target at once', async context => {
    const { far } = await opened(context)
    far.abort(0)
    const { target } = await join(context, far)
    await until(() => target.closed !== undefined, 'the end of the target')
    await until(() => context.gone === 1, 'its place')
  })

  test('one that is given up while it is joined is over, and so is the target', async context => {
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
    const heard = count(near)
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
    assert.equal([heard.length, heard.ended, heard.broken], [much.length, true, false])
    assert.equal([target.length, target.closed], [much.length + 1, 'in order'])
    await settled(context)
  })

  test('where nobody listens the system says so', async ({ connect }) => {
    const error = await connect(host, await freePort()).outlet.catch(error => error)
    assert.is(error.code, 'ECONNREFUSED')
  })

  test('one that is given up while it is being dialled tells nothing, and is left', async context => {
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
      const before = sockets()
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
      await until(() => sockets() <= before, 'all sockets to be closed')
    })

  test.run()
}

const native = pairs.find(({ engines }) => engines.every(({ name }) => name === 'native'))
if (native && process.platform === 'linux') {
  const test = suite<{ pair: QuicPair }>("the engine's targets")

  test.before.each(async context => {
    context.pair = await quicPair({ engines: native.engines })
  })
  test.after.each(({ pair }) => pair.close())

  const dialled = (targets: EngineTargets, address: string, port: number) => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const target = targets.dial(address, port, error => resolve(codeOf(error)))
    return promise.finally(() => targets.hangUp(target))
  }

  test('odd addresses and ports are reached or refused, and never thrown', async ({ pair }) => {
    const targets = targetsOf(pair)
    const origin = listenRaw()
    assert.is(await dialled(targets, `::ffff:${host}`, origin.port), 'connected')
    assert.is(await dialled(targets, '0.0.0.0', origin.port), 'connected')
    for (const address of ['fe80::1%lo', '', 'localhost', '127.0.0.1:80', '1.2.3', '\0'])
      assert.is(await dialled(targets, address, origin.port), 'EINVAL', address)
    for (const port of [65_536, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      assert.is(await dialled(targets, host, port), 'EINVAL', String(port))
    assert.ok((await dialled(targets, host, 0)).startsWith('E'))
    origin.close()
  })

  test('of a session that is over reach nothing, and what is joined with them is gone', async ({ pair }) => {
    const origin = listenRaw()
    const targets = targetsOf(pair)
    const { promise, resolve } = Promise.withResolvers<string>()
    const target = targets.dial(host, origin.port, error => resolve(codeOf(error)))
    pair.exit.connection.close()
    assert.is(await promise, 'ECONNABORTED')
    assert.is(await dialled(targets, host, origin.port), 'ECONNABORTED')
    assert.equal(targets.local(target), { address: '0.0.0.0', port: 0 })
    const told: string[] = []
    const before = { up: nothing, down: nothing, ended: false }
    const handlers = { parted: (how: string) => void told.push(how), hungUp: () => void told.push('hung up') }
    targets.join(0, target, before, handlers)
    assert.equal(told, [])
    await until(() => told.length >= 2, 'both')
    assert.equal(told, ['stream-gone', 'hung up'])
    targets.breakAt(0, 0)
    targets.part(0)
    assert.is(targets.leftover(0).written, 0)
    origin.close()
  })

  test('a target that there never was, or that is joined already, is none to join', async ({ pair }) => {
    const told: string[] = []
    const before = { up: nothing, down: nothing, ended: false }
    const handlers = { parted: (how: string) => void told.push(how), hungUp: () => void told.push('hung up') }
    targetsOf(pair).join(4, 99, before, handlers)
    await until(() => told.length >= 2, 'both')
    assert.equal(told, ['stream-gone', 'hung up'])
  })

  test.run()
}

// --- internal ---

const nothing = new Uint8Array()
/** A system takes so much at once, and gives it to whoever reads before a reset throws it away. */
const few = Buffer.alloc(20_000)

const codeOf = (error?: Error) => (error ? String((error as NodeJS.ErrnoException).code) : 'connected')

function targetsOf({ exit }: QuicPair): EngineTargets {
  assert.ok(exit.connection.targets)
  return exit.connection.targets!
}

/** A stream of the client's, on which it has said a byte, at both ends; nobody owns either. */
async function opened({ pair }: Context): Promise<{ near: QuicStream; far: QuicStream }> {
  const arriving = nextStream(pair.exit)
  const near = pair.client.connection.open()
  near.write(Buffer.from('!'))
  return { near, far: await arriving }
}

async function dial(context: Context): Promise<Outlet> {
  const outlet = await context.connect(host, context.origin.port).outlet
  outlet.gone.addEventListener('abort', () => context.gone++)
  return outlet
}

/** Dials a target for the exit's end of a stream, and joins them. */
async function join(context: Context, far: QuicStream): Promise<{ outlet: Outlet; target: RawEnd }> {
  const { ends } = context.origin
  const before = ends.length
  const outlet = await dial(context)
  await until(() => ends.length > before, 'the connection')
  outlet.join(far)
  return { outlet, target: ends.at(-1)! }
}

async function joined(context: Context): Promise<Joined> {
  const { near, far } = await opened(context)
  return { near, far, ...(await join(context, far)) }
}

/** Nothing but the control stream is left. */
async function settled(context: Context): Promise<void> {
  const { client, exit } = context.pair
  await until(
    () => client.connection.streams === 1 && exit.connection.streams === 1,
    'the streams to be forgotten',
  )
  await until(() => context.gone === context.origin.ends.length, 'the places to be free')
}

interface Counted extends Omit<Heard, 'text'> {
  length: number
  /** The last four characters. */
  last: string
}

/** Owns a connection from here on, and counts what comes. */
function count(stream: QuicStream): Counted {
  const heard: Counted = { length: 0, last: '', ended: false, closed: false, broken: false }
  stream.attach({
    data(chunk) {
      heard.length += chunk.length
      heard.last = (heard.last + Buffer.from(chunk.subarray(-4)).toString()).slice(-4)
    },
    end() {
      heard.ended = true
    },
    drain() {},
    close(broken) {
      Object.assign(heard, { closed: true, broken })
    },
  })
  return heard
}

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

/** Sockets that this process has open. */
const sockets = (): number =>
  readdirSync('/proc/self/fd').filter(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')
    } catch {
      return false
    }
  }).length
