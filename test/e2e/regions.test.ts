import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'
import { fetchBytes } from '../support/origin.ts'
import { originSuite } from '../support/origin-suite.ts'
import { until } from '../support/until.ts'

const test = originSuite('Regions')

const run = (...args: string[]) =>
  startProxy({ args: ['--local', '--allow-private', '--launches-per-minute', '100', ...args] })

const twoRegions = ['--region', 'local-1,local-2']

/** The regions of the exits, in the order of their coming. */
const regions = (proxy: LocalProxy) => proxy.told('exit.ready').map(({ region }) => region)

test('rotation goes round the regions', async context => {
  const proxy = context.keep(await run(...twoRegions, '--rotate', '1s'))
  await until(() => regions(proxy).length >= 4, 'four exits')
  assert.equal(regions(proxy).slice(0, 4), ['local-1', 'local-2', 'local-1', 'local-2'])
})

test('exits in use at once are spread over the regions, and connections over the exits', async context => {
  const { origin } = context
  const proxy = context.keep(await run(...twoRegions, '--sessions', '3', '--exit', 'round-robin'))
  await until(() => regions(proxy).length === 3, 'three exits')
  assert.equal(new Set(regions(proxy)).size, 2)
  for (let i = 0; i < 6; i++) await fetchBytes({ origin, proxy: proxy.port, bytes: 100 })
  await until(() => proxy.told('connection.opened').length === 6, 'what is told of the connections')
  const used = proxy.told('connection.opened').map(({ session }) => session)
  assert.is(new Set(used).size, 3)
  assert.equal(used.slice(3), used.slice(0, 3))
})

test('a standby is kept ready, and takes over when it is needed', async context => {
  const { origin } = context
  const proxy = context.keep(await run('--standby', '1', '--exit', 'round-robin'))
  await until(() => regions(proxy).length === 2, 'the exit and its standby')
  const used = async (count: number) => {
    await fetchBytes({ origin, proxy: proxy.port, bytes: 100 })
    await until(() => proxy.told('connection.opened').length === count, 'the connection')
    return proxy.told('connection.opened')[count - 1]!.session
  }
  const first = await used(1)
  assert.is(await used(2), first)
  process.kill(await proxy.processOf(first!), 'SIGKILL')
  await proxy.event('exit.silent', event => event.session === first)
  assert.is.not(await used(3), first)
  // There is a standby again.
  await until(() => regions(proxy).length === 3, 'the next standby')
})

test('a region that breaks is set aside with back-off and its reason is told once; the others carry on', async context => {
  const { origin } = context
  const proxy = context.keep(await run(...twoRegions, '--rotate', '1s'))
  const [folder] = proxy.leftovers()
  await rm(join(folder!, 's3', 'lambda-nat-proxy-local-2'), { recursive: true })
  const failures = () => proxy.told('exit.failed')
  await until(async () => {
    const { complete } = await fetchBytes({ origin, proxy: proxy.port, bytes: 1_000 })
    assert.ok(complete)
    return failures().length >= 3
  }, 'the third failure')
  assert.ok(failures().every(({ region }) => region === 'local-2'))
  assert.match(failures()[0]!.message, 'bucket lambda-nat-proxy-local-2 does not exist')
  assert.equal(
    failures().map(({ repeated }) => repeated),
    [
      false,
      ...failures()
        .slice(1)
        .map(() => true),
    ],
  )
  for (const [i, { retryMs }] of failures().entries())
    assert.ok(retryMs >= 500 * 2 ** i && retryMs <= 1_500 * 2 ** i, `${retryMs} ms after failure ${i + 1}`)
  assert.ok(new Set(regions(proxy).slice(2)).size === 1)
  assert.is(proxy.told('connection.failed').length, 0)
})

test.run()
