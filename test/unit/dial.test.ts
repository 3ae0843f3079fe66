import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DialError, dial } from '../../function/dial.ts'
import { createResolver } from '../../function/resolve.ts'
import type { Target } from '../../tunnel/session/frames/address.ts'
import { type ReplyCode, reply } from '../../tunnel/session/frames/reply.ts'

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

async function refusal(target: Target, options: { allowPrivate?: boolean; limitMs?: number } = {}) {
  try {
    const { allowPrivate = true, ...limits } = options
    const { conn } = await dial(target, { resolver: createResolver('system', allowPrivate), ...limits })
    conn.abort()
  } catch (error) {
    assert.instance(error, DialError)
    const { reply: code, reason, message } = error as DialError
    return { code: code as ReplyCode, reason, message }
  }
  throw new Error(`${target.host} was reached`)
}

test("an address and a name are reached, and the exit's own end is told", async ({ port }) => {
  for (const name of [host, 'localhost']) {
    const { conn, bound } = await dial({ host: name, port }, { resolver: createResolver('system', true) })
    assert.is(bound.host, host)
    assert.ok(bound.port > 0)
    conn.abort()
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

test('without leave, private addresses are not reached, in numbers or behind a name', async ({
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

test('what is not reached within the limit has timed out', async () => {
  const resolver = { resolve: () => new Promise<never>(() => {}) }
  try {
    await dial({ host: 'slow.example', port: 80 }, { resolver, limitMs: 20 })
    assert.unreachable()
  } catch (error) {
    assert.instance(error, DialError)
    assert.is((error as DialError).reply, reply.ttlExpired)
  }
})

test.run()
