import * as assert from 'uvu/assert'
import { startStun } from '../../cli/cloud/stun.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { fetchBytes } from '../support/origin.ts'
import { cloudSuite, type OriginContext } from '../support/origin-suite.ts'
import { until } from '../support/until.ts'

const test = cloudSuite('Faults around a session')

const figure = (name: string, value: string) => console.log(`figure: ${name} ${value}`)
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`

/** A request that must succeed; the time until it was connected. */
async function request({ origin }: OriginContext, proxy: LocalProxy): Promise<number> {
  const { complete, wrong, connectMs } = await fetchBytes({ origin, proxy: proxy.port, bytes: 1_000 })
  assert.ok(complete && wrong === 0)
  return connectMs
}

test('a function that is killed in the middle of a transfer is noticed, and replaced', async context => {
  const { local, origin } = context
  const proxy = await local.proxy()
  const { session } = proxy.told('exit.ready')[0]!
  const cut = fetchBytes({
    origin,
    proxy: proxy.port,
    bytes: 50_000_000,
    rate: 5_000_000,
    onProgress: received => {
      if (received > 2_000_000) progressed.resolve()
    },
  })
  const progressed = Promise.withResolvers<void>()
  await progressed.promise
  const killed = performance.now()
  local.kill(session)
  const { heardAt } = await proxy.event('exit.silent', event => event.session === session && event.silent)
  const next = await proxy.event('exit.ready', event => event.session !== session)
  await request(context, proxy)
  figure('killed function, noticed after', seconds(heardAt - killed))
  figure('killed function, next exit up after', seconds(next.heardAt - killed))
  figure('killed function, first new connection done after', seconds(performance.now() - killed))
  const { wrong, complete } = await cut
  assert.equal({ wrong, complete }, { wrong: 0, complete: false })
  const closed = await proxy.event('exit.closed', event => event.session === session)
  assert.is(closed.code, 'E_QUIC_SILENT')
})

test('S3 being down during a rotation leaves the old exit in use; the next rotation after it succeeds', async context => {
  const { local } = context
  const proxy = await local.proxy({ args: ['--rotate', '2s', '--launches-per-minute', '100'] })
  const { session } = proxy.told('exit.ready')[0]!
  local.s3.mode = 'down'
  await until(() => proxy.told('exit.failed').length >= 2, 'two launches that fail')
  await request(context, proxy)
  assert.is(proxy.told('connection.opened').at(-1)!.session, session)
  assert.is(proxy.told('exit.draining').length, 0)
  assert.equal(
    proxy
      .told('exit.failed')
      .map(({ repeated }) => repeated)
      .slice(0, 2),
    [false, true],
  )
  assert.match(proxy.told('exit.failed')[0]!.message, 'S3 cannot be reached')
  local.s3.mode = 'pass'
  const back = performance.now()
  const next = await proxy.event('exit.ready', event => event.session !== session)
  await proxy.event('exit.draining', event => event.session === session)
  await request(context, proxy)
  figure('S3 down during a rotation, next exit up after S3 was back', seconds(next.heardAt - back))
})

test('a STUN server that is silent is passed over for the next', async ({ local }) => {
  // A port that takes datagrams and says nothing.
  const silent = await Bun.udpSocket({ hostname: '127.0.0.1' })
  const proxy = await local.proxy({ stun: `127.0.0.1:${silent.port},${local.cloud.stunServers[0]}` })
  silent.close()
  const { ms } = await proxy.event('exit.step', ({ step }) => step === 'stun')
  figure('first STUN server silent, address known after', seconds(ms))
})

test('with no STUN server left the last known address will do', async context => {
  const { local } = context
  const stun = await startStun('127.0.0.1', 0)
  const proxy = await local.proxy({ stun: `127.0.0.1:${stun.port}`, args: ['--rotate', '1s'] })
  const { session } = proxy.told('exit.ready')[0]!
  await stun.close()
  const next = await proxy.event('exit.ready', event => event.session !== session)
  await request(context, proxy)
  const located = await proxy.event(
    'exit.step',
    event => event.session === next.session && event.step === 'stun',
  )
  figure(
    'all STUN servers silent',
    `last known address taken after ${seconds(located.ms)}: ${located.detail}`,
  )
})

test('an event that S3 delivers three times makes one session with one answer', async context => {
  const { local } = context
  const proxy = await local.launch()
  const { session } = await proxy.event('exit.step', ({ step }) => step === 'offer')
  const again = () => local.cloud.deliver(local.eventOf(session))
  const duplicates = await Promise.all([again(), again()])
  assert.equal(
    duplicates.map(({ status }) => status),
    ['success', 'success'],
  )
  const { port } = await proxy.event('proxy.ready')
  await request(context, { ...proxy, port })
  const said = (message: string) => local.log.filter(record => record.message === message).length
  assert.is(said('answered'), 1)
  assert.is(said('offer is answered already: this delivery is a duplicate'), 2)
  assert.equal((await local.keys()).sort(), [
    `sessions/${session}/answer.json`,
    `sessions/${session}/offer.json`,
  ])
  const busy = local.cloud.processes().filter(({ state }) => state === 'busy')
  assert.is(busy.length, 1)
})

test.run()
