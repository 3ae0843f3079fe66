import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { reply } from '../../tunnel/session/frames/reply.ts'
import { freePort } from '../support/free-port.ts'
import { type LocalProxy, launchProxy, startProxy } from '../support/local-proxy.ts'
import { patient } from '../support/patience.ts'
import { rawClient } from '../support/raw-client.ts'
import { runs } from '../support/runs.ts'
import { type Target, tcpServer } from '../support/servers.ts'
import { ask } from '../support/socks-request.ts'
import { until } from '../support/until.ts'

const test = suite<{ target: Target; proxies: LocalProxy[] }>('The life of run --local')

test.before(async context => {
  context.target = await tcpServer(socket => void socket.on('data', chunk => socket.write(chunk)))
})
test.before.each(context => {
  context.proxies = []
})
test.after.each(async ({ proxies }) => {
  await Promise.all(proxies.map(proxy => proxy.close()))
})
test.after(({ target }) => target.close())

/** Asks again and again until somebody listens; the limit is for a test that fails. */
async function askOnceThere(port: number, target: Target) {
  const limit = performance.now() + patient(40_000)
  for (;;) {
    try {
      return await ask(port, '127.0.0.1', target.port)
    } catch (error) {
      if (performance.now() > limit) throw error
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }
}

test('a connection that comes while a session is coming up waits for it', async ({ target, proxies }) => {
  const port = await freePort()
  const proxy = await launchProxy({ args: ['--local', '--allow-private', '--port', String(port)] })
  proxies.push(proxy)
  const { reply: answer, client } = await askOnceThere(port, target)
  assert.is(answer.code, reply.succeeded)
  client.write('hello')
  assert.is(String(await client.read(5)), 'hello')
  client.destroy()
})

test('a function that is killed is replaced, and new connections go on', async ({ target, proxies }) => {
  const proxy = await startProxy()
  proxies.push(proxy)
  const { client } = await ask(proxy.port, '127.0.0.1', target.port)
  const [first] = proxy.told('exit.ready')
  process.kill(await proxy.processOf(first!.session), 'SIGKILL')
  // What was open breaks, and is not left hanging.
  await client.closed
  const { reply: answer, client: next } = await ask(proxy.port, '127.0.0.1', target.port)
  assert.is(answer.code, reply.succeeded)
  await proxy.event('connection.opened', ({ session }) => session !== first!.session)
  next.destroy()
})

test('Ctrl-C in the midst of traffic ends with 0 and leaves no process and no file', async ({
  target,
  proxies,
}) => {
  const proxy = await startProxy()
  proxies.push(proxy)
  const { client } = await ask(proxy.port, '127.0.0.1', target.port)
  const idle = await rawClient(proxy.port)
  const [ready] = proxy.told('exit.ready')
  const pid = await proxy.processOf(ready!.session)
  // A clean end that takes 3 seconds or more ends with another code.
  assert.is(await proxy.stop('SIGINT'), 0)
  await Promise.all([client.closed, idle.closed])
  await until(() => !runs(pid), "the end of the function's process")
  assert.equal(proxy.leftovers(), [])
})

test('a Ctrl-C while things are being started ends with 0 and leaves no file', async ({ proxies }) => {
  const proxy = await launchProxy()
  proxies.push(proxy)
  await proxy.event('exit.launching')
  assert.is(await proxy.stop('SIGINT'), 0)
  assert.equal(proxy.leftovers(), [])
})

test('a second Ctrl-C exits at once with 130', async ({ proxies }) => {
  const proxy = await startProxy()
  proxies.push(proxy)
  // Both are pending when it goes on, so that it cannot have ended in between.
  process.kill(proxy.pid, 'SIGSTOP')
  process.kill(proxy.pid, 'SIGTERM')
  process.kill(proxy.pid, 'SIGINT')
  process.kill(proxy.pid, 'SIGCONT')
  assert.is(await proxy.stop('SIGCONT'), 130)
})

test.run()
