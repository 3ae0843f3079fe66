import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EngineTargets } from '../../tunnel/quic/engine-connection.ts'
import { needNativeEngine } from '../support/engines.ts'
import { host, targetsOf } from '../support/joined-target.ts'
import { type QuicPair, quicPair } from '../support/quic-pair.ts'
import { listenRaw, type RawListener } from '../support/raw-end.ts'
import { until, within } from '../support/until.ts'

// The engine's own sockets, at the edge of what they can be asked.

const native = await needNativeEngine()
const test = suite<{ pair: QuicPair; origin: RawListener }>("the engine's targets")

test.before.each(async context => {
  context.pair = await quicPair({ engines: [native!, native!] })
  context.origin = listenRaw()
})
test.after.each(({ pair, origin }) => {
  pair.close()
  origin.close()
})

test('odd addresses and ports are reached or refused, and never thrown', async ({ pair, origin }) => {
  const targets = targetsOf(pair)
  assert.is(await dialled(targets, `::ffff:${host}`, origin.port), 'connected')
  assert.is(await dialled(targets, '0.0.0.0', origin.port), 'connected')
  for (const address of ['fe80::1%lo', '', 'localhost', '127.0.0.1:80', '1.2.3', '\0'])
    assert.is(await dialled(targets, address, origin.port), 'EINVAL', address)
  for (const port of [65_536, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
    assert.is(await dialled(targets, host, port), 'EINVAL', String(port))
  assert.ok((await dialled(targets, host, 0)).startsWith('E'))
})

test('a session that is over reaches no targets, and what is joined with one is gone', async ({
  pair,
  origin,
}) => {
  const targets = targetsOf(pair)
  const { target, outcome } = dial(targets, host, origin.port)
  pair.exit.connection.close()
  assert.is(await outcome, 'ECONNABORTED')
  assert.is(await dialled(targets, host, origin.port), 'ECONNABORTED')
  assert.equal(targets.local(target), { address: '0.0.0.0', port: 0 })
  const told = join(targets, 0, target)
  assert.equal(told, [])
  await until(() => told.length >= 2, 'both')
  assert.equal(told, ['stream-gone', 'hung up'])
  targets.breakAt(0, 0)
  targets.part(0)
  assert.is(targets.leftover(0).written, 0)
})

test('a target that there never was is none to join', async ({ pair }) => {
  const told = join(targetsOf(pair), 4, 99)
  await until(() => told.length >= 2, 'both')
  assert.equal(told, ['stream-gone', 'hung up'])
})

if (native && process.platform === 'linux') test.run()
else if (native) console.error(`\n*** LEFT OUT: ${process.argv[1]}: the engine has targets on Linux alone\n`)

// --- internal ---

/** The number of a target that is being dialled, and what comes of it: 'connected', or the system's code. */
function dial(targets: EngineTargets, address: string, port: number) {
  const { promise, resolve } = Promise.withResolvers<string>()
  const told = (error?: NodeJS.ErrnoException) => resolve(error ? String(error.code) : 'connected')
  return { target: targets.dial(address, port, told), outcome: within(promise, 'what comes of it') }
}

/** What comes of dialling a target, which is then left. */
function dialled(targets: EngineTargets, address: string, port: number): Promise<string> {
  const { target, outcome } = dial(targets, address, port)
  return outcome.finally(() => targets.hangUp(target))
}

/** Joins a stream of which nothing was read; gives what is told of the two from here on. */
function join(targets: EngineTargets, stream: number, target: number): string[] {
  const told: string[] = []
  const nothing = new Uint8Array()
  targets.join(
    stream,
    target,
    { up: nothing, down: nothing, ended: false },
    { parted: how => void told.push(how), hungUp: () => void told.push('hung up') },
  )
  return told
}
