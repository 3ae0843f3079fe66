import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { State } from '../../cli/client/stats/state.ts'
import { type Home, makeHome } from '../support/command.ts'
import { type LocalCloud, startLocalCloud } from '../support/local-cloud.ts'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'
import { fetchBytes, type Origin, startOrigin } from '../support/origin.ts'
import { type SocksError, socksConnect } from '../support/socks-client.ts'
import { until } from '../support/until.ts'

interface Context {
  local: LocalCloud
  origin: Origin
  home: Home
}

const test = suite<Context>('a budget, in a running fleet')

/** What a launch costs at the least, in dollars: an offer and an answer in S3. */
const launch = 0.00001

test.before(async context => {
  context.local = await startLocalCloud()
  context.origin = await startOrigin()
})
test.after(async ({ local, origin }) => {
  await local.close()
  origin.close()
})
test.before.each(async context => {
  context.home = await makeHome()
})
test.after.each(({ home }) => home.remove())

const args = (budget: string, ...more: string[]) => [
  '--dashboard-port',
  '0',
  '--verbose',
  '--budget',
  budget,
  ...more,
]
const cost = async (proxy: LocalProxy) => {
  const { url } = await proxy.event('dashboard.ready')
  return ((await (await fetch(`${url}api/state`)).json()) as State).cost
}

async function refusal(proxy: LocalProxy, origin: Origin): Promise<number | undefined> {
  try {
    ;(await socksConnect({ proxy: proxy.port, host: '127.0.0.1', port: origin.port })).destroy()
    return undefined
  } catch (error) {
    return (error as SocksError).reply
  }
}

test('a restart in the middle of the month keeps the sum, and at its end nothing is launched', async ({
  local,
  origin,
  home,
}) => {
  const env = { XDG_STATE_HOME: home.folder }
  const first = await local.proxy({ args: args('1/month'), env })
  assert.ok((await fetchBytes({ proxy: first.port, origin, bytes: 2_000_000 })).complete)
  await first.event('connection.closed')
  const { total } = await cost(first)
  assert.ok(total > launch, String(total))
  assert.is(await first.stop('SIGTERM'), 0)
  await first.close()

  const second = await local.proxy({ args: args('1/month'), env })
  const { budget, total: own } = await cost(second)
  assert.ok(budget!.spent >= total, `${budget!.spent} of ${total}`)
  assert.ok(own < total, 'of this run alone')
  // It is killed: what a launch costs is not forgotten.
  await second.stop('SIGKILL')
  await second.close()

  const third = await local.launch({ args: args('0.00002/month'), env })
  const spent = await third.event('budget.spent')
  assert.ok(spent.spent >= total + launch, String(spent.spent))
  const { url } = await third.event('dashboard.ready')
  await until(async () => (await fetch(`${url}healthz`)).status === 503, 'no readiness')
  assert.match(await (await fetch(`${url}metrics`)).text(), 'budget_dollars{period="month"} 0.00002\n')
  assert.equal(third.told('exit.launching'), [])
  await third.close()
})

test('at the end of the budget exits are let go, and connections are refused, unless it only warns', async ({
  local,
  origin,
  home,
}) => {
  // Data out is what uses it up: 10 MB cost about a thousandth of a dollar.
  const env = { XDG_STATE_HOME: home.folder }
  const proxy = await local.proxy({ args: args('0.0005/day'), env })
  const fetched = await fetchBytes({ proxy: proxy.port, origin, bytes: 10_000_000 })
  assert.ok(fetched.complete)
  await proxy.event('budget.spent')
  assert.is(await refusal(proxy, origin), 1)
  const { code, message } = await proxy.event('connection.failed')
  assert.is(code, 'E_BUDGET_SPENT')
  assert.match(message, 'a day is used up')
  await proxy.event('exit.draining')
  await proxy.event('exit.closed')
  assert.is(proxy.told('exit.launching').length, 1)
  await proxy.close()

  const warned = await local.proxy({ args: args('0.0005/day', '--budget-action', 'warn'), env })
  await warned.event('budget.spent')
  assert.is(await refusal(warned, origin), undefined)
  await warned.close()
})

test('the embedded cloud spends nothing', async ({ home, origin }) => {
  const env = { XDG_STATE_HOME: home.folder }
  const proxy = await startProxy({ args: ['--local', '--allow-private', ...args('0.000001/day')], env })
  assert.is(await refusal(proxy, origin), undefined)
  assert.equal([proxy.told('budget.spent'), proxy.told('budget.sampled')], [[], []])
  await proxy.close()
})

test.run()
