import { connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeLogin } from '../../cli/client/accounts/login.ts'
import { startProxy } from '../../cli/client/proxy.ts'
import { createEvents } from '../../cli/client/stats/events.ts'
import { errorData } from '../../tunnel/net/coded-error.ts'
import { converse } from '../support/near-proxy.ts'

const test = suite('Changes to a proxy that runs')

const start = () =>
  startProxy({
    listeners: [{ scheme: 'mixed', host: '127.0.0.1', port: 0 }],
    exits: { select: () => Promise.reject(new Error('no exit')), full() {}, mayReuse: () => true },
    events: createEvents(),
  })

const mixed = { scheme: 'mixed' as const, host: '127.0.0.1', port: 0 }
const listens = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

test('listeners come and go, and those that stay keep their port', async () => {
  const proxy = start()
  const [{ port } = { port: 0 }] = proxy.listeners
  proxy.update({ listeners: [mixed, { ...mixed, scheme: 'http' }] })
  const ports = proxy.listeners.map(({ port }) => port)
  assert.is(ports[0], port)
  assert.equal(
    proxy.listeners.map(({ scheme }) => scheme),
    ['mixed', 'http'],
  )
  assert.equal(await Promise.all(ports.map(listens)), [true, true])
  proxy.update({ listeners: [mixed] })
  assert.equal(await Promise.all(ports.map(listens)), [true, false])
  await proxy.close()
  assert.is(await listens(port), false)
})

test('a listener changes what it speaks, and whom it lets in', async () => {
  const proxy = start()
  const [{ port } = { port: 0 }] = proxy.listeners
  const request =
    'OPTIONS http://example.com/ HTTP/1.1\r\nHost: example.com\r\nMax-Forwards: 0\r\nConnection: close\r\n\r\n'
  assert.match(await converse(port, request), /^HTTP\/1\.1 200/)
  proxy.update({
    listeners: [mixed],
    logins: [makeLogin('test', 'alice', 'x')],
  })
  assert.match(await converse(port, request), /^HTTP\/1\.1 407/)
  proxy.update({ listeners: [{ ...mixed, scheme: 'socks5' }] })
  assert.match(await converse(port, request), /^HTTP\/1\.1 400/)
  await proxy.close()
})

test('a change that cannot be made is not made in part', async () => {
  const proxy = start()
  const [{ port } = { port: 0 }] = proxy.listeners
  const wrong = { scheme: 'http' as const, host: '127.0.0.1', port }
  try {
    proxy.update({ listeners: [wrong, { ...mixed, port: 0 }, { ...mixed, host: '0.0.0.0' }], rules: [] })
    assert.unreachable()
  } catch (error) {
    assert.instance(error, AggregateError)
    assert.equal(
      (error as AggregateError).errors.map(each => errorData(each).code),
      ['E_PORT_IN_USE', 'E_OPEN_PROXY'],
    )
  }
  assert.equal(
    proxy.listeners.map(({ scheme, port }) => ({ scheme, port })),
    [{ scheme: 'mixed', port }],
  )
  assert.is(await listens(port), true)
  await proxy.close()
})

test.run()
