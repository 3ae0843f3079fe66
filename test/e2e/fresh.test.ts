import * as assert from 'uvu/assert'
import { fetchBytes } from '../support/origin.ts'
import { cloudSuite } from '../support/origin-suite.ts'
import { until } from '../support/until.ts'

const test = cloudSuite('--exit fresh')

test('each connection gets an exit that its site has not seen, also side by side', async ({
  local,
  origin,
}) => {
  const proxy = await local.proxy({ args: ['--exit', 'fresh', '--launches-per-minute', '100'] })
  const request = async () => {
    const fetched = await fetchBytes({ origin, proxy: proxy.port, bytes: 10_000 })
    assert.equal([fetched.complete, fetched.wrong], [true, 0])
  }
  for (let i = 0; i < 3; i++) await request()
  await Promise.all([request(), request(), request()])
  const opened = () => proxy.told('connection.opened')
  await until(() => opened().length === 6, 'what is told of the connections')
  assert.is(new Set(opened().map(({ session }) => session)).size, 6, 'six exits')
  assert.is(proxy.told('connection.failed').length, 0)
  // Here they all have one address: that is told once, and then another exit is fresh enough.
  assert.is(proxy.told('site.repeated').length, 1)
  // Nobody asks any more: but for one, they are let go in time.
  const seen = proxy.told('address.seen')
  assert.equal([...new Set(seen.map(({ distinct }) => distinct))], [1])
  console.log(`figure: fresh exits for 6 connections, ${proxy.told('exit.launching').length} launches`)
})

test('an exit is replaced after --connections-per-exit', async ({ local, origin }) => {
  const proxy = await local.proxy({
    args: ['--connections-per-exit', '2', '--launches-per-minute', '100'],
  })
  for (let i = 0; i < 6; i++) {
    const { complete } = await fetchBytes({ origin, proxy: proxy.port, bytes: 10_000 })
    assert.ok(complete)
  }
  const opened = () => proxy.told('connection.opened')
  await until(() => opened().length === 6, 'what is told of the connections')
  const counts = new Map<string | undefined, number>()
  for (const { session } of opened()) counts.set(session, (counts.get(session) ?? 0) + 1)
  assert.equal([...counts.values()], [2, 2, 2])
  await until(() => proxy.told('exit.closed').length >= 3, 'the end of those that are used up')
  assert.is(proxy.told('exit.launching').length, 4, 'a launch for each that is used up, beyond the first')
})

test('--distinct replaces an exit at an address of another one, three times in a row', async ({ local }) => {
  const proxy = await local.proxy({ args: ['--distinct', '--rotate', '2s', '--launches-per-minute', '100'] })
  // They all have one address here.
  await until(() => proxy.told('address.seen').length >= 5, 'further exits')
  const seen = proxy.told('address.seen').slice(0, 5)
  assert.equal(
    seen.map(({ isNew, replaced }) => [isNew, replaced]),
    [
      [true, false],
      [false, true],
      [false, true],
      [false, true],
      [false, false],
    ],
  )
  await proxy.event('exit.closed', ({ session }) => session === seen[1]!.session)
})

test.run()
