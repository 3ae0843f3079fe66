import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { fetchBytes } from '../support/origin.ts'
import { cloudSuite } from '../support/origin-suite.ts'
import { udpAssociation, udpEcho } from '../support/udp-client.ts'
import { until } from '../support/until.ts'

const test = cloudSuite('--idle')

const ending = async (response: Response) => [response.status, await response.json()]

test('without a connection the exits are let go, and the next ones wait for a new one', async ({
  local,
  origin,
}) => {
  const proxy = await local.proxy({ args: ['--idle', '1s', '--dashboard-port', '0', '--rotate', '60s'] })
  const { url } = await proxy.event('dashboard.ready')
  const request = async (bytes = 10_000, rate?: number) => {
    const fetched = await fetchBytes({ origin, proxy: proxy.port, bytes, ...(rate && { rate }) })
    assert.equal([fetched.complete, fetched.wrong], [true, 0])
  }
  // Longer than the idle time: what is open keeps its exit.
  await request(2_000_000, 1_000_000)
  const asleep = await proxy.event('fleet.asleep')
  const [closed] = proxy.told('connection.closed')
  assert.is(asleep.idleMs, 1_000)
  assert.ok(asleep.heardAt - closed!.heardAt > 900, 'the idle time begins when the last connection has ended')
  assert.is(proxy.told('exit.closed')[0]!.message, 'drained')
  await until(() => local.cloud.processes().every(({ state }) => state === 'idle'), 'the end of the function')
  await until(async () => (await local.keys()).length === 0, 'an empty bucket')
  assert.equal(await ending(await fetch(`${url}healthz`)), [200, { ready: true, exits: 0, idle: true }])
  assert.match(await (await fetch(`${url}metrics`)).text(), /^lambda_nat_proxy_asleep 1$/m)

  for (let wakes = 1; wakes <= 3; wakes++) {
    await until(() => proxy.told('fleet.asleep').length === wakes, 'sleep')
    await Promise.all([request(), request(), request()])
    await until(() => proxy.told('fleet.awake').length === wakes, 'the word of it')
    assert.is(proxy.told('exit.launching').length, 1 + wakes, 'one exit a wake')
  }
  assert.is(proxy.told('connection.failed').length + proxy.told('connection.refused').length, 0)
  const metrics = await (await fetch(`${url}metrics`)).text()
  assert.match(metrics, /^lambda_nat_proxy_wake_duration_seconds_count 3$/m)
  const took = proxy.told('fleet.awake').map(({ ms }) => ms)
  console.log(`figure: wakes ${took.map(ms => ms.toFixed(0)).join(', ')} ms`)
})

test('an association keeps its exit, and when it has ended the exit is let go', async ({ local, keep }) => {
  const proxy = await local.proxy({ args: ['--idle', '1s'] })
  const echo = keep(await udpEcho())
  const association = keep(await udpAssociation({ proxy: proxy.port }))
  association.send({ host: '127.0.0.1', port: echo.port }, 'first')
  const { heardAt, session } = await proxy.event('connection.opened')
  await until(() => association.received.length > 0, 'the echo')
  // Nothing moves on it for several times as long.
  await until(() => performance.now() > heardAt + 3_500, 'some time')
  assert.equal(proxy.told('fleet.asleep'), [])
  assert.equal(proxy.told('exit.closed'), [])
  await association.end()
  await proxy.event('fleet.asleep')
  assert.is(proxy.told('exit.closed')[0]?.session, session)
})

test('an hour asleep asks nothing of S3 and starts no function', async ({ local, origin }) => {
  const proxy = await local.proxy({
    args: ['--idle', '1s', '--dashboard-port', '0'],
    env: { BUN_OPTIONS: `--preload=${join(import.meta.dir, '../support/leap.ts')}` },
  })
  await proxy.event('fleet.asleep')
  const isCleared = () => local.s3.answered.some(request => /^POST .*\?delete.* 200$/.test(request))
  await until(isCleared, 'what the exit left in the bucket to be deleted')
  // It has heard of that before it hears of this.
  await fetch(`${(await proxy.event('dashboard.ready')).url}healthz`)
  const requests = [...local.s3.requests]
  const records = local.log.length
  process.kill(proxy.pid, 'SIGUSR2')
  const passed = /an hour has passed: (\d+) timers/
  await until(() => passed.test(proxy.said()), 'an hour')
  // The sampler's is among them, once a second.
  assert.ok(Number(passed.exec(proxy.said())![1]) >= 3_599)
  assert.equal(local.s3.requests, requests)
  assert.is(local.log.length, records)
  assert.is(proxy.told('exit.launching').length, 1)

  const fetched = await fetchBytes({ origin, proxy: proxy.port, bytes: 10_000 })
  assert.ok(fetched.complete)
  await proxy.event('fleet.awake')
})

test.run()
