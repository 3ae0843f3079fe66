import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DialError, type DialOptions, dial } from '../../function/dial.ts'
import { connectByNode } from '../../function/node-outlet.ts'
import type { Outlet } from '../../function/outlet.ts'
import { createResolver } from '../../function/resolve.ts'
import type { Target } from '../../tunnel/session/frames/address.ts'
import { reply } from '../../tunnel/session/frames/reply.ts'

interface Context {
  server: Server
  port: number
  accepted: Socket[]
}

const host = '127.0.0.1'
const test = suite<Context>('dial')

test.before.each(async context => {
  context.accepted = []
  context.server = createServer(socket => void context.accepted.push(socket.on('error', () => {})))
  context.server.listen(0, host)
  await once(context.server, 'listening')
  context.port = (context.server.address() as AddressInfo).port
})

test.after.each(({ server, accepted }) => {
  for (const socket of accepted) socket.destroy()
  server.close()
})

const dialByNode = (target: Target, options: Omit<DialOptions, 'connect'>) =>
  dial(target, { connect: connectByNode, ...options })

/** Why it was not reached. */
async function failure(dialling: Promise<Outlet>): Promise<DialError> {
  const reached = await dialling.catch((error: unknown) => {
    assert.instance(error, DialError)
    return error as DialError
  })
  if (reached instanceof DialError) return reached
  reached.abort()
  throw new Error('it was reached')
}

async function refusal(target: Target, { allowPrivate = true } = {}) {
  const error = await failure(dialByNode(target, { resolver: createResolver('system', allowPrivate) }))
  return { code: error.reply, reason: error.reason, message: error.message }
}

test("an address and a name are reached, and the exit's own end is told", async ({ port }) => {
  for (const name of [host, 'localhost']) {
    const outlet = await dialByNode({ host: name, port }, { resolver: createResolver('system', true) })
    assert.is(outlet.bound.host, host)
    assert.ok(outlet.bound.port > 0)
    outlet.abort()
  }
})

test('a port where nobody listens is refused', async ({ server, port }) => {
  server.close()
  await once(server, 'close')
  assert.is((await refusal({ host, port })).code, reply.refused)
  assert.is((await refusal({ host: 'localhost', port })).code, reply.refused)
})

test('a name that does not exist is host unreachable', async () => {
  const { code, reason } = await refusal({ host: 'nowhere.invalid', port: 80 })
  assert.equal([code, reason], [reply.hostUnreachable, 'name-not-found'])
})

test('port 0 is a failure', async () => {
  const { code, reason } = await refusal({ host, port: 0 })
  assert.equal([code, reason], [reply.failure, 'invalid-target'])
})

test('private addresses are not reached unless they are allowed, in numbers or behind a name', async ({
  server,
  port,
  accepted,
}) => {
  for (const target of [
    host,
    'localhost',
    '::1',
    '::ffff:127.0.0.1',
    '169.254.169.254',
    '0.0.0.0',
    '10.0.0.1',
  ]) {
    const { code, reason, message } = await refusal({ host: target, port }, { allowPrivate: false })
    assert.equal([code, reason], [reply.notAllowed, 'private-address'], target)
    assert.match(message, 'not a public address')
  }
  // Other spellings of 127.0.0.1, which the system's resolver reads as addresses.
  for (const target of ['127.1', '2130706433', '0x7f000001', '0177.0.0.1', 'localhost.']) {
    const { code } = await refusal({ host: target, port }, { allowPrivate: false })
    assert.ok(code === reply.notAllowed || code === reply.hostUnreachable, `${target}: ${code}`)
  }
  assert.is(accepted.length, 0)
  assert.ok(server.listening)
})

test('where one of its addresses refuses, another is connected to', async ({ port }) => {
  // The server is at the second alone.
  const addresses = ['127.0.0.2', host].map(address => ({ address, family: 4 }))
  const outlet = await dialByNode(
    { host: 'two.example', port },
    { resolver: { resolve: async () => addresses } },
  )
  assert.is(outlet.bound.host, host)
  outlet.abort()
})

test('where all of them refuse, that is the reply', async ({ server, port }) => {
  server.close()
  await once(server, 'close')
  const addresses = ['127.0.0.2', '127.0.0.3'].map(address => ({ address, family: 4 }))
  const error = await failure(
    dialByNode({ host: 'two.example', port }, { resolver: { resolve: async () => addresses } }),
  )
  assert.is(error.reply, reply.refused)
})

test('each of the system’s errors has its reply, and its reason where the reply does not say it', async () => {
  const failing = (error: Error) =>
    dialByNode({ host, port: 1 }, { resolver: { resolve: () => Promise.reject(error) } })
  for (const [code, expected, reason] of [
    ['ECONNREFUSED', reply.refused],
    ['ENETUNREACH', reply.networkUnreachable],
    ['EHOSTUNREACH', reply.hostUnreachable],
    ['ETIMEDOUT', reply.ttlExpired],
    ['EACCES', reply.notAllowed],
    ['EAFNOSUPPORT', reply.addressTypeNotSupported],
    ['ENOTFOUND', reply.hostUnreachable, 'name-not-found'],
    ['ESERVFAIL', reply.hostUnreachable, 'name-not-found'],
    ['EMFILE', reply.failure, 'no-room'],
    ['ENOBUFS', reply.failure, 'no-room'],
    ['E_WHATEVER', reply.failure],
  ] as const) {
    const error = await failure(failing(Object.assign(new Error('as told'), { code })))
    assert.equal([error.reply, error.reason], [expected, reason], code)
  }
})

test('a name that is not resolved within the limit has timed out', async () => {
  const resolver = { resolve: () => new Promise<never>(() => {}) }
  const error = await failure(dialByNode({ host: 'slow.example', port: 80 }, { resolver, limitMs: 20 }))
  assert.equal([error.code, error.reply], ['E_DIAL_TIMEOUT', reply.ttlExpired])
})

test('a target that does not answer within the limit has timed out, and is given up', async ({ port }) => {
  let givenUp = 0
  // As where a packet filter swallows all.
  const connect = () => ({ outlet: new Promise<never>(() => {}), cancel: () => void givenUp++ })
  const resolver = createResolver('system', true)
  const error = await failure(dial({ host, port }, { resolver, connect, limitMs: 20 }))
  assert.equal([error.code, error.reply, givenUp], ['E_DIAL_TIMEOUT', reply.ttlExpired, 1])
})

test.run()
