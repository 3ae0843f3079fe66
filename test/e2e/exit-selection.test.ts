import * as assert from 'uvu/assert'
import type { Policy } from '../../cli/client/fleet/select.ts'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'
import { fetchBytes } from '../support/origin.ts'
import { type OriginContext, originSuite } from '../support/origin-suite.ts'
import { socksConnect } from '../support/socks-client.ts'
import { until } from '../support/until.ts'

interface Context extends OriginContext {
  proxy: LocalProxy
}

// Each of the loopback network's addresses is a site of its own.
const test = originSuite<Context>('--exit and user names', '0.0.0.0')

async function run(policy: Policy, sessions: number): Promise<LocalProxy> {
  const args = ['--local', '--allow-private', '--region', 'local-1,local-2', '--exit', policy]
  const proxy = await startProxy({ args: [...args, '--sessions', String(sessions)] })
  await until(() => proxy.told('exit.ready').length === sessions, `${sessions} exits`)
  return proxy
}

/** The sessions that connections to these sites had, one after another. */
async function sessionsOf({ proxy, origin }: Context, hosts: string[], user?: string): Promise<string[]> {
  const before = proxy.told('connection.opened').length
  for (const host of hosts)
    await fetchBytes({ origin, proxy: proxy.port, host, bytes: 10, ...(user !== undefined && { user }) })
  const all = () => proxy.told('connection.opened').slice(before)
  await until(() => all().length === hosts.length, 'what is told of the connections')
  return all().map(({ session }) => session ?? 'none')
}

const sites = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.6']

test('sticky: the same site keeps the same exit', async context => {
  context.proxy = context.keep(await run('sticky', 2))
  const first = await sessionsOf(context, sites)
  assert.equal(await sessionsOf(context, sites), first)
})

test('round-robin: each exit in turn', async context => {
  context.proxy = context.keep(await run('round-robin', 3))
  const used = await sessionsOf(context, Array(6).fill('127.0.0.1'))
  assert.is(new Set(used.slice(0, 3)).size, 3)
  assert.equal(used.slice(3), used.slice(0, 3))
})

test('random: any of them', async context => {
  context.proxy = context.keep(await run('random', 2))
  // That 30 of them all fall on one happens once in five hundred million times.
  assert.is(new Set(await sessionsOf(context, Array(30).fill('127.0.0.1'))).size, 2)
})

test('least-loaded: the exit with the fewest connections', async context => {
  context.proxy = context.keep(await run('least-loaded', 2))
  const { proxy, origin } = context
  const held = await socksConnect({ proxy: proxy.port, host: '127.0.0.1', port: origin.port })
  const { session } = await proxy.event('connection.opened')
  // Those that are over count no more: one after another they all have the other exit.
  for (let ended = 1; ended <= 4; ended++) {
    assert.is.not((await sessionsOf(context, ['127.0.0.1']))[0], session)
    await until(() => proxy.told('connection.closed').length === ended, 'its end')
  }
  held.destroy()
})

test('region-…: the exit is in the region that the user name asks for, launched for it if need be', async context => {
  context.proxy = context.keep(await run('sticky', 1))
  const { proxy } = context
  const [first] = proxy.told('exit.ready')
  const other = first!.region === 'local-1' ? 'local-2' : 'local-1'
  const used = await sessionsOf(context, sites, `region-${other}`)
  assert.is(new Set(used).size, 1)
  const ready = await proxy.event('exit.ready', ({ session }) => session === used[0])
  assert.is(ready.region, other)

  const nowhere = await fetch('http://127.0.0.1:1/', {
    proxy: `http://region-eu-west-9:x@127.0.0.1:${proxy.port}`,
  })
  assert.is(nowhere.status, 503)
  assert.match(await nowhere.text(), /no exit is deployed in eu-west-9\. Ask for one of local-1, local-2\./)
  await proxy.event('connection.failed', ({ code }) => code === 'E_REGION_NOT_DEPLOYED')
})

test('session-…: the same name keeps the same exit, where others are used in turn', async context => {
  context.proxy = context.keep(await run('round-robin', 2))
  const first = await sessionsOf(context, sites, 'session-first')
  const second = await sessionsOf(context, sites, 'session-second')
  assert.is(new Set(first).size, 1)
  assert.is(new Set(second).size, 1)
})

test.run()
