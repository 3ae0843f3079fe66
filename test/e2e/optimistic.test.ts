import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freePort } from '../support/free-port.ts'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'
import { fetchBytes, type Origin, startOrigin } from '../support/origin.ts'
import { socksConnect } from '../support/socks-client.ts'

interface Context {
  proxy: LocalProxy
  origin: Origin
}

const test = suite<Context>('run --optimistic')

test.before(async context => {
  context.origin = await startOrigin()
  context.proxy = await startProxy({ args: ['--local', '--allow-private', '--optimistic'] })
})
test.after(async ({ proxy, origin }) => {
  await proxy.close()
  origin.close()
})

test('what was asked for comes whole, over connections that nobody waited for', async ({ proxy, origin }) => {
  const all = Array.from({ length: 20 }, () => fetchBytes({ origin, proxy: proxy.port, bytes: 100_000 }))
  for (const { complete, wrong } of await Promise.all(all)) assert.equal([complete, wrong], [true, 0])
  assert.is(proxy.told('connection.opened').length, 20)
})

test('a target that refuses breaks the connection, and the events say why', async ({ proxy }) => {
  const socket = await socksConnect({ proxy: proxy.port, host: '127.0.0.1', port: await freePort() })
  const broken = once(socket, 'error')
  socket.write('hello')
  socket.resume()
  const [error] = await broken
  assert.is(error.code, 'ECONNRESET')
  const { code, reply } = await proxy.event('connection.refused')
  assert.equal([code, reply], ['E_TARGET_REFUSED', 5])
})

test.run()
