import { promises } from 'node:dns'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createResolver, NotAllowedError } from '../../function/resolve.ts'
import { type DnsServer, dnsServer, type Records } from '../support/dns-server.ts'

interface Context {
  server: DnsServer
  /** What the server says from now on. */
  records: Map<string, Records>
}

const test = suite<Context>('resolve')

test.before.each(async context => {
  context.records = new Map()
  context.server = await dnsServer(name => context.records.get(name))
})
test.after.each(({ server }) => server.close())

const at = ({ server }: Context) => ({ address: server.address })

async function failure(work: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await work
  } catch (error) {
    return error as Error
  }
  throw new Error('it did not fail')
}

test('a DNS server is asked for both families, and IPv6 comes first', async context => {
  context.records.set('both.example', { addresses: ['192.0.2.1', '2001:db8::1'] })
  const addresses = await createResolver(at(context), true).resolve('both.example')
  assert.equal(
    addresses.map(({ address, family }) => `${family} ${address}`),
    ['6 2001:db8::1', '4 192.0.2.1'],
  )
  assert.equal(context.server.queries.sort(), ['both.example A', 'both.example AAAA'])
})

test('a name is looked up once, however many ask for it at once', async context => {
  context.records.set('busy.example', { addresses: ['192.0.2.1'] })
  const { resolve } = createResolver(at(context), true)
  await Promise.all(Array.from({ length: 50 }, () => resolve('busy.example')))
  await resolve('busy.example')
  assert.is(context.server.queries.length, 2)
})

test('a name is looked up again when its time to live has passed, and not before', async context => {
  const { resolve } = createResolver(at(context), true)
  const asked = (name: string) => context.server.queries.filter(query => query === `${name} A`).length
  context.records.set('brief.example', { addresses: ['192.0.2.1'], ttl: 1 })
  context.records.set('lasting.example', { addresses: ['192.0.2.9'], ttl: 60 })
  await resolve('lasting.example')
  await resolve('brief.example')
  context.records.set('brief.example', { addresses: ['192.0.2.2'], ttl: 1 })
  context.records.set('lasting.example', { addresses: ['192.0.2.8'], ttl: 60 })

  const started = performance.now()
  let address = '192.0.2.1'
  for (const limit = started + 5_000; address === '192.0.2.1' && performance.now() < limit; ) {
    const [first] = await resolve('brief.example')
    address = first!.address
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  assert.is(address, '192.0.2.2')
  assert.ok(performance.now() - started > 900, 'it was good for a second')
  assert.is(asked('brief.example'), 2)
  assert.equal(await resolve('lasting.example'), [{ address: '192.0.2.9', ttl: 60, family: 4 }])
  assert.is(asked('lasting.example'), 1)
})

test('times to live are kept between a second and five minutes, and the shortest of both families counts', async () => {
  const seconds = {
    moving: { A: 0, AAAA: 0 },
    lasting: { A: 86_400, AAAA: 86_400 },
    mixed: { A: 2, AAAA: 60 },
  }
  const server = await dnsServer((name, type) => ({
    addresses: ['192.0.2.1', '2001:db8::1'],
    ttl: seconds[name as keyof typeof seconds][type],
  }))
  const { now } = performance
  const began = now.call(performance)
  // This runtime's own resolver may remember, too: it is not the server that is to be asked, but the resolver.
  const { resolve4 } = promises.Resolver.prototype
  let asked = 0
  promises.Resolver.prototype.resolve4 = function (this: promises.Resolver, ...given: unknown[]) {
    asked++
    return Reflect.apply(resolve4, this, given)
  } as typeof resolve4
  const { resolve } = createResolver({ address: server.address }, true)
  /** Whether a name is asked for so many seconds from now. */
  const isAsked = async (name: string, s: number) => {
    performance.now = () => began + s * 1_000
    const before = asked
    await resolve(name)
    return asked > before
  }
  try {
    for (const [name, kept, gone] of [
      ['moving', 0.9, 1.1],
      ['lasting', 299, 301],
      ['mixed', 1.9, 2.1],
    ] as const) {
      assert.is(await isAsked(name, 0), true, name)
      assert.is(await isAsked(name, kept), false, `${name} after ${kept} s`)
      assert.is(await isAsked(name, gone), true, `${name} after ${gone} s`)
    }
  } finally {
    performance.now = now
    promises.Resolver.prototype.resolve4 = resolve4
    server.close()
  }
})

test('a failure is not remembered', async context => {
  const { resolve } = createResolver(at(context), true)
  context.records.set('late.example', { failure: 'SERVFAIL' })
  assert.is((await failure(resolve('late.example'))).code, 'ENOTFOUND')
  context.records.set('late.example', { addresses: ['192.0.2.1'] })
  assert.is((await resolve('late.example')).length, 1)
})

test('whatever is wrong with the server or the name, there is no address', async context => {
  const { resolve } = createResolver(at(context), true)
  const silent = createResolver({ address: '127.255.255.254' }, true)
  const { code, message } = await failure(silent.resolve('some.example'))
  assert.is(code, 'ENOTFOUND', 'that the server refuses does not mean that the target does')
  assert.match(message, 'some.example cannot be looked up')
  for (const name of ['nothing.example', 'a'.repeat(255), '..', 'ex..ample', '-'])
    assert.is((await failure(resolve(name))).code, 'ENOTFOUND', name)
})

test('of a name’s addresses only the public ones are given, and with none it is not allowed', async context => {
  // The guard is what is tested here; the server itself may be private.
  const { resolve } = createResolver('system', false)
  assert.instance(await failure(resolve('localhost')), NotAllowedError)
  assert.instance(await failure(resolve('127.0.0.1')), NotAllowedError)
  assert.equal(await resolve('1.1.1.1'), [{ address: '1.1.1.1', family: 4 }])
  assert.is(context.server.queries.length, 0)
})

test('unless private addresses are allowed, a DNS server at one is asked nothing', async context => {
  context.records.set('public.example', { addresses: ['1.1.1.1'] })
  const { message } = await failure(createResolver(at(context), false).resolve('public.example'))
  assert.match(message, `${context.server.address} is not a public address`)
  for (const url of [`https://${context.server.address}/`, 'https://localhost/', 'https://[::1]/dns-query']) {
    const error = await failure(createResolver({ url }, false).resolve('public.example'))
    assert.instance(error, NotAllowedError, url)
  }
  assert.equal(context.server.queries, [])
})

test.run()
