import { connect, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeLogin } from '../../cli/client/accounts/login.ts'
import { type NearProxy, type NearProxyOptions, nearProxy } from '../support/near-proxy.ts'
import { inOwnNetwork } from '../support/own-network.ts'
import { patient } from '../support/patience.ts'
import { type RawOrigin, rawOrigin } from '../support/raw-origin.ts'
import { until } from '../support/until.ts'

interface Context {
  proxy: NearProxy
  origin: RawOrigin
  sockets: Socket[]
  start(options: NearProxyOptions): Promise<NearProxy>
}

const test = suite<Context>('who holds connections locks nobody out')

/** The proxy's address on a network of other machines. */
const lan = '192.0.2.1'
const attacker = '192.0.2.66'
const login = Buffer.from('alice:secret').toString('base64')

test.before.each(async context => {
  context.sockets = []
  context.origin = await rawOrigin(heard =>
    heard.endsWith('\r\n\r\n')
      ? { say: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', end: true }
      : undefined,
  )
  context.start = async options => {
    const listeners = [{ host: '0.0.0.0', logins: [makeLogin('test', 'alice', 'secret')] }]
    context.proxy = await nearProxy({ listeners, ...options })
    return context.proxy
  }
})
test.after.each(async ({ proxy, origin, sockets }) => {
  for (const socket of sockets) socket.destroy()
  proxy.close()
  await origin.close()
})

/** A connection between these addresses that says this and waits. */
function hold(port: number, from: string, bytes = ''): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: from.startsWith('127.') ? '127.0.0.1' : lan, localAddress: from })
    socket.on('error', reject).on('connect', () => {
      socket.off('error', reject).on('error', () => {})
      if (bytes) socket.write(bytes, 'latin1')
      resolve(socket.resume())
    })
  })
}

/** What such a connection is told until its end. */
async function ask(port: number, from: string, bytes: string): Promise<string> {
  const socket = await hold(port, from)
  let said = ''
  socket.on('data', chunk => {
    said += chunk.toString('latin1')
  })
  const timer = setTimeout(() => socket.destroy(), patient(20_000))
  const closed = new Promise<void>(resolve => socket.on('close', () => resolve()))
  socket.write(bytes, 'latin1')
  await closed
  clearTimeout(timer)
  return said
}

const get = ({ port }: RawOrigin, authorization = login) =>
  `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nProxy-Authorization: Basic ${authorization}\r\n\r\n`
const tunnel = ({ port }: RawOrigin) =>
  `CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic ${login}\r\n\r\n`

const codes = (proxy: NearProxy) => new Set(proxy.told('client.rejected').map(({ code }) => code))

test('4,200 connections of one machine without a login keep neither this machine nor another one out', async ({
  start,
  origin,
  sockets,
}) => {
  const proxy = await start({})
  const openings = ['', '\x05\x01', '\x05\x01\x02', '\x05\x01\x02\x01\x05alice', 'GET http://127', 'CONNECT']
  while (sockets.length < 4_200) {
    const batch = Array.from({ length: 100 }, (_, i) =>
      hold(proxy.port, attacker, openings[i % openings.length]),
    )
    sockets.push(...(await Promise.all(batch)))
  }
  await until(() => proxy.told('client.rejected').length >= 4_200 - 64, 'all but 64 to have given way')
  for (const from of ['127.0.0.1', '192.0.2.7', '192.0.2.8'])
    assert.match(await ask(proxy.port, from, get(origin)), /ok$/)
  // Not even the attacker's own machine is locked out, if it asks for something.
  assert.match(await ask(proxy.port, attacker, get(origin)), /ok$/)
  assert.equal(codes(proxy), new Set(['E_CLIENTS_WAITING']))
  assert.match(proxy.told('client.rejected')[0]!.message, attacker)
})

test('many machines without a login keep nobody out either', async ({ start, origin, sockets }) => {
  const proxy = await start({})
  for (let i = 0; i < 600; i++)
    sockets.push(await hold(proxy.port, `198.51.100.${1 + (i % 200)}`, '\x05\x01'))
  for (const from of ['127.0.0.1', '192.0.2.7']) assert.match(await ask(proxy.port, from, get(origin)), /ok$/)
  await until(() => proxy.told('client.rejected').length >= 600 - 256, 'the others to have given way')
})

test('of the admitted clients other machines leave room to this one, and one of them to the others', async ({
  start,
  origin,
  sockets,
}) => {
  const proxy = await start({ limits: { clients: 8 } })
  const admit = async (from: string) => {
    const before = proxy.told('connection.opened').length
    sockets.push(await hold(proxy.port, from, tunnel(origin)))
    await until(() => proxy.told('connection.opened').length > before, 'the tunnel')
  }
  for (let i = 0; i < 4; i++) await admit(attacker)
  assert.match(
    await ask(proxy.port, attacker, get(origin)),
    /^HTTP\/1\.1 503 .*192\.0\.2\.66 has 4 clients already/s,
  )
  assert.is(await ask(proxy.port, attacker, '\x05\x01\x02'), '\x05\xff')
  for (let i = 0; i < 2; i++) await admit('192.0.2.7')
  assert.match(
    await ask(proxy.port, '192.0.2.8', get(origin)),
    /^HTTP\/1\.1 503 .*other machines have 6 clients/s,
  )
  assert.match(await ask(proxy.port, '127.0.0.1', get(origin)), /ok$/)
  assert.equal(codes(proxy), new Set(['E_CLIENTS_FULL']))
})

test('who tries passwords is slowed down by both protocols together, and nobody else is', async ({
  start,
  origin,
}) => {
  const proxy = await start({})
  const wrongHttp = () =>
    ask(proxy.port, attacker, get(origin, Buffer.from('alice:guess').toString('base64')))
  const wrongSocks = () => ask(proxy.port, attacker, '\x05\x01\x02\x01\x05alice\x05guess')
  for (let i = 0; i < 5; i++) {
    assert.match(await wrongHttp(), /^HTTP\/1\.1 407 /)
    assert.is(await wrongSocks(), '\x05\x02\x01\x01')
  }
  const started = performance.now()
  const more = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? wrongHttp() : wrongSocks())))
  // A line of ten seconds, and who comes behind it is told.
  assert.ok(performance.now() - started > 5_000)
  assert.ok(more.filter(said => said.startsWith('HTTP/1.1 429 ')).length >= 10)
  assert.ok(more.includes('\x05\xff'))
  assert.equal(codes(proxy), new Set(['E_LOGIN_WRONG', 'E_LOGIN_THROTTLED']))
  for (const from of ['127.0.0.1', '192.0.2.7']) assert.match(await ask(proxy.port, from, get(origin)), /ok$/)
  assert.not.match(JSON.stringify(proxy.events), 'guess')
})

if (inOwnNetwork()) test.run()
