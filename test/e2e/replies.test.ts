import { createServer } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { reply } from '../../tunnel/session/frames/reply.ts'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'
import { type Target, tcpServer } from '../support/servers.ts'
import { ask, command, greeted, readReply } from '../support/socks-request.ts'

interface Context {
  proxy: LocalProxy
  /** Its exit reaches no private address. */
  strict: LocalProxy
  target: Target
}

const test = suite<Context>('SOCKS5 replies')

test.before(async context => {
  const [proxy, strict, target] = await Promise.all([
    startProxy(),
    startProxy({ args: ['--local'] }),
    tcpServer(socket => void socket.end('here')),
  ])
  Object.assign(context, { proxy, strict, target })
})
test.after(async ({ proxy, strict, target }) => {
  await Promise.all([proxy.close(), strict.close(), target.close()])
})

/** The code of the reply; after a refusal nothing comes but the end. */
async function refusal(proxy: LocalProxy, host: string, port: number): Promise<number> {
  const { reply, client } = await ask(proxy.port, host, port)
  assert.is((await client.rest()).length, 0)
  client.destroy()
  return reply.code
}

test("success carries the exit's own end of the connection, and what the target says follows it", async ({
  proxy,
  target,
}) => {
  for (const host of ['127.0.0.1', 'localhost']) {
    const { reply: answer, client } = await ask(proxy.port, host, target.port)
    assert.is(answer.code, reply.succeeded)
    assert.is(answer.bound.host, '127.0.0.1')
    assert.ok(answer.bound.port > 0)
    assert.is(String(await client.rest()), 'here')
    client.destroy()
  }
})

test('an IPv6 target is reached, and the reply has an IPv6 address', async ({ proxy }) => {
  if (!(await canListen('::1'))) {
    console.error(`\n*** LEFT OUT: ${process.argv[1]}: an IPv6 target: this machine has no ::1\n`)
    return
  }
  const target = await tcpServer(socket => void socket.end('six'), '::1')
  const { reply: answer, client } = await ask(proxy.port, '::1', target.port)
  assert.is(answer.code, reply.succeeded)
  assert.is(answer.bound.host, '::1')
  assert.is(String(await client.rest()), 'six')
  client.destroy()
  await target.close()
})

test('a port where nobody listens is refused', async ({ proxy }) => {
  const gone = await tcpServer(() => {})
  await gone.close()
  assert.is(await refusal(proxy, '127.0.0.1', gone.port), reply.refused)
  assert.is(await refusal(proxy, 'localhost', gone.port), reply.refused)
})

test('a name that does not exist is host unreachable', async ({ proxy }) => {
  assert.is(await refusal(proxy, 'nowhere.invalid', 80), reply.hostUnreachable)
})

test('a network without an outbound is network unreachable', async ({ proxy }) => {
  // No system connects TCP to a multicast or broadcast address.
  assert.is(await refusal(proxy, '255.255.255.255', 80), reply.networkUnreachable)
  assert.is(await refusal(proxy, '224.0.0.1', 80), reply.networkUnreachable)
})

test('private addresses are refused unless they are allowed, in numbers or behind a name', async ({
  strict,
  target,
}) => {
  for (const host of ['127.0.0.1', 'localhost', '::1', '::ffff:127.0.0.1', '169.254.169.254', '10.0.0.1'])
    assert.is(await refusal(strict, host, target.port), reply.notAllowed, host)
})

test('port 0, and a name that none can have, are a failure', async ({ proxy }) => {
  assert.is(await refusal(proxy, '127.0.0.1', 0), reply.failure)
  for (const name of ['with space', 'line\nbreak', 'nul\0']) {
    const client = await greeted(proxy.port)
    client.write(Buffer.concat([Buffer.of(5, 1, 0, 3, name.length), Buffer.from(name), Buffer.of(0, 80)]))
    assert.is((await readReply(client)).code, reply.failure, name)
    client.destroy()
  }
})

test('BIND is not supported, nor is a command that does not exist', async ({ proxy, target }) => {
  for (const cmd of [command.bind, 0, 4, 255]) {
    const { reply: answer, client } = await ask(proxy.port, '127.0.0.1', target.port, cmd)
    assert.is(answer.code, reply.commandNotSupported)
    assert.is((await client.rest()).length, 0)
    client.destroy()
  }
})

test('an address type that does not exist is not supported', async ({ proxy }) => {
  for (const type of [0, 2, 5, 255]) {
    const client = await greeted(proxy.port)
    client.write(Buffer.of(5, 1, 0, type, 127, 0, 0, 1, 0, 80))
    assert.is((await readReply(client)).code, reply.addressTypeNotSupported)
    assert.is((await client.rest()).length, 0)
    client.destroy()
  }
})

const canListen = (host: string) =>
  new Promise<boolean>(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(0, host, () => server.close(() => resolve(true)))
  })

test.run()
