import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import * as assert from 'uvu/assert'
import { closeCodes, closeText } from '../../tunnel/quic/close-codes.ts'
import { startLocalCloud } from '../support/local-cloud.ts'
import { fetchBytes } from '../support/origin.ts'
import { originSuite } from '../support/origin-suite.ts'
import { webServer } from '../support/servers.ts'
import { until } from '../support/until.ts'

const test = originSuite('Rotation')

const second = 1_000_000

test('requests go on while exits change under them, and a long download outlasts its exit’s retirement', async context => {
  const { origin } = context
  const local = context.keep(await startLocalCloud())
  const proxy = await local.proxy({ args: ['--rotate', '2s', '--launches-per-minute', '100'] })
  const long = fetchBytes({ origin, proxy: proxy.port, bytes: 6 * second, rate: second })
  const { session } = await proxy.event('connection.opened')

  const connectMs: number[] = []
  const request = async () => {
    const fetched = await fetchBytes({ origin, proxy: proxy.port, bytes: 10_000 })
    assert.is(fetched.wrong, 0)
    assert.ok(fetched.complete)
    connectMs.push(fetched.connectMs)
  }
  const rotations = () => proxy.told('exit.ready').length
  const worker = async () => {
    while (rotations() < 4) await request()
  }
  await Promise.all([worker(), worker(), worker()])

  await proxy.event('exit.draining', event => event.session === session && event.connections > 0)
  const { wrong, complete, received } = await long
  assert.equal({ wrong, complete, received }, { wrong: 0, complete: true, received: 6 * second })
  assert.is(proxy.told('connection.failed').length + proxy.told('connection.refused').length, 0)
  assert.is(await proxy.stop('SIGINT'), 0)
  connectMs.sort((a, b) => a - b)
  console.log(
    `figure: rotation ${connectMs.length} requests over ${rotations()} exits, 0 failed; connect p50 ${connectMs[connectMs.length >> 1]!.toFixed(1)} ms, slowest ${connectMs.at(-1)!.toFixed(1)} ms`,
  )
})

test('a kept connection to a server is not used again when its exit is retired', async context => {
  const local = context.keep(await startLocalCloud())
  const proxy = await local.proxy({ args: ['--rotate', '2s', '--launches-per-minute', '100'] })
  const web = context.keep(webServer())
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  context.keep({ close: () => agent.destroy() })
  const page = async () => {
    const path = `http://127.0.0.1:${web.port}/bytes/10`
    const [response] = await once(get({ agent, port: proxy.port, path }), 'response')
    return (await buffer(response as IncomingMessage)).length
  }
  assert.is(await page(), 10)
  const { session } = await proxy.event('connection.opened')
  // With what it keeps for the next request it is not done.
  const { connections } = await proxy.event('exit.draining', event => event.session === session)
  assert.is(connections, 1)
  assert.is(await page(), 10)
  await until(() => proxy.told('connection.opened').length === 2, 'another connection')
  assert.is.not(proxy.told('connection.opened')[1]!.session, session)
})

test('a connection that the function’s deadline closes is told apart, and others never notice', async context => {
  const { origin } = context
  // 14 s: the last 10 are for draining, the last 1.5 are Lambda's.
  const local = context.keep(await startLocalCloud({ timeoutMs: 14_000 }))
  const proxy = await local.proxy({ args: ['--launches-per-minute', '100'] })
  const long = fetchBytes({ origin, proxy: proxy.port, bytes: 100 * second, rate: second / 10 })
  const { session, connection } = await proxy.event('connection.opened')
  const draining = await proxy.event('exit.draining', event => event.session === session)
  assert.is(draining.connections, 1)
  // Not before the function's own end, however long it has been retired.
  assert.ok(draining.remainingMs > 5_000)

  const cut = await proxy.event('connection.closed', event => event.connection === connection)
  const closed = await proxy.event('exit.closed', event => event.session === session)
  assert.is((await long).complete, false)
  assert.is(cut.end, 'deadline')
  assert.equal([closed.code, closed.message], ['E_QUIC_CLOSED_BY_PEER', closeText[closeCodes.deadline]])
  const after = await fetchBytes({ origin, proxy: proxy.port, bytes: 1_000 })
  assert.ok(after.complete)
  await until(() => proxy.told('connection.opened').length === 2, 'the second connection')
  assert.is.not(proxy.told('connection.opened')[1]!.session, session)
  const lasted = closed.heardAt - proxy.told('connection.opened')[0]!.heardAt
  console.log(
    `figure: drained until the deadline: ${(lasted / 1_000).toFixed(1)} s of 14, ${((closed.heardAt - draining.heardAt) / 1_000).toFixed(1)} of them retired`,
  )
})

test.run()
