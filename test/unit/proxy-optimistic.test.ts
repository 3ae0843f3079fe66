import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseRules } from '../../cli/client/outbound/rules.ts'
import { encodeTarget } from '../../tunnel/session/frames/address.ts'
import { freePort } from '../support/free-port.ts'
import { converse, type NearProxy, nearProxy } from '../support/near-proxy.ts'
import { rawClient } from '../support/raw-client.ts'
import { type RawOrigin, rawOrigin } from '../support/raw-origin.ts'
import { command, readReply } from '../support/socks-request.ts'
import { until } from '../support/until.ts'

// --optimistic: the application is told that it is connected before the exit has answered.

interface Context {
  origin: RawOrigin
  /** Where nobody listens. */
  nobody: number
}

const test = suite<Context>('optimistic connections')

test.before(async context => {
  context.origin = await rawOrigin(heard =>
    heard.endsWith('bye') ? { say: `you said ${heard}`, end: true } : undefined,
  )
  context.nobody = await freePort()
})
test.after(({ origin }) => origin.close())

/** A proxy whose exit serves nothing before `release` is called. */
async function heldProxy(connections?: number): Promise<{ proxy: NearProxy; release: () => void }> {
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const proxy = await nearProxy({ optimistic: true, exit: { held, ...(connections && { connections }) } })
  return { proxy, release }
}

const socksRequest = (port: number) =>
  Buffer.concat([Buffer.of(5, 1, 0, 5, command.connect, 0), encodeTarget({ host: '127.0.0.1', port })])

/** A SOCKS client that has its reply, whatever that is. */
async function asked(proxy: NearProxy, port: number) {
  const client = await rawClient(proxy.port)
  client.write(socksRequest(port))
  await client.read(2)
  return { client, reply: await readReply(client) }
}

/** How a connection ends after these bytes: `end`, or the error's code. */
async function endAfter(port: number, bytes: Uint8Array | string): Promise<{ said: string; how: string }> {
  const socket: Socket = connect(port, '127.0.0.1')
  let said = ''
  socket.on('data', chunk => {
    said += chunk.toString('latin1')
  })
  socket.write(bytes)
  const how = await Promise.race([
    once(socket, 'end').then(() => 'end'),
    once(socket, 'error').then(([error]) => String(error.code)),
  ]).catch(error => String(error.code))
  socket.destroy()
  return { said, how }
}

test('a SOCKS client is told at once, and what it says is at the exit before that answers', async ({
  origin,
}) => {
  const { proxy, release } = await heldProxy()
  const { client, reply } = await asked(proxy, origin.port)
  assert.equal(reply, { code: 0, bound: { host: '0.0.0.0', port: 0 } })
  client.write('hello bye')
  // Nothing is open as long as the target is not reached.
  assert.equal(proxy.told('connection.opened'), [])
  release()
  assert.is(String(await client.rest()), 'you said hello bye')
  client.end()
  await until(() => proxy.told('connection.closed').length === 1, 'the connection to be closed')
  const { bytesUp, bytesDown, end } = proxy.told('connection.closed')[0]!
  assert.equal({ bytesUp, bytesDown, end }, { bytesUp: 9, bytesDown: 18, end: 'complete' })
  assert.is(proxy.told('connection.opened').length, 1)
  proxy.close()
})

test('an HTTP client that sends CONNECT is told at once too, and an end right behind its first bytes is passed on', async ({
  origin,
}) => {
  const { proxy, release } = await heldProxy()
  const client = await rawClient(proxy.port)
  client.write(`CONNECT 127.0.0.1:${origin.port} HTTP/1.1\r\nHost: x\r\n\r\n`)
  const established = 'HTTP/1.1 200 Connection established\r\n\r\n'
  assert.is(String(await client.read(established.length)), established)
  client.write('bye')
  client.end()
  release()
  assert.is(String(await client.rest()), 'you said bye')
  await until(() => proxy.open() === 0 && proxy.exit.streams() === 0, 'the streams to be closed')
  proxy.close()
})

test('a refusal is a broken connection, and an event that says what it was', async ({ nobody }) => {
  const proxy = await nearProxy({ optimistic: true })
  const socks = await endAfter(proxy.port, Buffer.concat([socksRequest(nobody), Buffer.from('hello')]))
  assert.is(socks.how, 'ECONNRESET')
  assert.is(Buffer.from(socks.said, 'latin1').toString('hex'), '0500' + '05000001000000000000')
  const http = await endAfter(proxy.port, `CONNECT 127.0.0.1:${nobody} HTTP/1.1\r\nHost: x\r\n\r\n`)
  assert.is(http.how, 'ECONNRESET')
  assert.match(http.said, /^HTTP\/1\.1 200 /)
  await until(() => proxy.exit.streams() === 0, 'the streams to be closed')
  const refused = proxy.told('connection.refused')
  assert.equal(
    refused.map(({ reply, code, target }) => [reply, code, target]),
    Array(2).fill([5, 'E_TARGET_REFUSED', `127.0.0.1:${nobody}`]),
  )
  assert.equal([...proxy.told('connection.opened'), ...proxy.told('connection.closed')], [])
  proxy.close()
})

test('requests that are no tunnel, and what goes direct, wait for the true answer', async ({ nobody }) => {
  const proxy = await nearProxy({ optimistic: true })
  const answer = await converse(
    proxy.port,
    `GET http://127.0.0.1:${nobody}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
  )
  assert.match(answer, /^HTTP\/1\.1 502 /)
  proxy.close()

  const direct = await nearProxy({ optimistic: true, rules: parseRules(['direct 127.0.0.1']) })
  assert.is((await asked(direct, nobody)).reply.code, 5)
  direct.close()
})

test('an exit that is full is told to be, and one that is lost breaks the connection', async ({ origin }) => {
  const { proxy, release } = await heldProxy(1)
  const first = await asked(proxy, origin.port)
  const second = await asked(proxy, origin.port)
  release()
  await second.client.closed
  assert.is(proxy.exit.toldFull, 1)
  assert.is(
    proxy.told('connection.refused').concat(proxy.told('connection.failed') as never)[0]!.code,
    'E_EXIT_FULL',
  )
  first.client.destroy()
  proxy.close()

  const lost = await heldProxy()
  const { client } = await asked(lost.proxy, origin.port)
  lost.proxy.exit.close()
  await client.closed
  await until(() => lost.proxy.told('connection.failed').length > 0, 'the loss to be told')
  assert.equal(
    lost.proxy.told('connection.failed').map(({ code }) => code),
    ['E_EXIT_LOST'],
  )
  lost.proxy.close()
})

test('what is said early is bounded, and arrives whole', async () => {
  const bytes = 32 * 1024 * 1024
  const counter = await rawOrigin(heard => (heard.length === bytes ? { say: 'all', end: true } : undefined))
  const { proxy, release } = await heldProxy()
  const socket = connect(proxy.port, '127.0.0.1')
  socket.write(socksRequest(counter.port))
  await once(socket, 'data')
  const chunk = Buffer.alloc(64 * 1024, 'x')
  let written = 0
  let wroteAt = performance.now()
  const pour = () => {
    wroteAt = performance.now()
    while (written < bytes) {
      written += chunk.length
      if (!socket.write(chunk)) return
    }
  }
  socket.on('drain', pour)
  pour()
  // As long as the exit takes nothing, it comes to a stand.
  await until(() => performance.now() - wroteAt > 1_000, 'the sender to stand')
  assert.ok(written < bytes, `${written} bytes were taken`)
  release()
  let said = ''
  for await (const data of socket) said += data
  assert.match(said, /all$/)
  proxy.close()
  await counter.close()
})

test('a client that breaks off before the answer leaves nothing behind, and nothing is told', async ({
  origin,
}) => {
  const { proxy, release } = await heldProxy()
  const socket = connect(proxy.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(socksRequest(origin.port))
  await until(() => proxy.exit.streams() === 1, 'the request to be sent')
  socket.resetAndDestroy()
  await until(() => proxy.exit.streams() === 0, 'the stream to be closed')
  release()
  assert.equal(
    proxy.events.filter(({ type }) => type.startsWith('connection.')),
    [],
  )
  proxy.close()
})

test.run()
