import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createEvents } from '../../cli/client/stats/events.ts'
import { createModel } from '../../cli/client/stats/model.ts'
import { findProxy, runningProxies } from '../../cli/control/ask.ts'
import { reloadError } from '../../cli/control/reload.ts'
import { type ControlSocket, openControl } from '../../cli/control/socket.ts'
import { UsageError } from '../../cli/input/usage-error.ts'
import { CodedError } from '../../tunnel/net/coded-error.ts'
import { controlled } from '../support/controlled.ts'
import { until } from '../support/until.ts'

const test = suite('The control socket')

const known = process.env.XDG_RUNTIME_DIR
let home = ''
let folder = ''
const open = new Set<ControlSocket>()

test.before.each(() => {
  home = mkdtempSync(join(tmpdir(), 'lambda-nat-proxy-test-'))
  process.env.XDG_RUNTIME_DIR = home
  process.env.XDG_STATE_HOME = home
  folder = join(home, 'lambda-nat-proxy')
})

test.after.each(() => {
  for (const socket of open) socket.close()
  open.clear()
  if (known === undefined) delete process.env.XDG_RUNTIME_DIR
  else process.env.XDG_RUNTIME_DIR = known
  delete process.env.XDG_STATE_HOME
  rmSync(home, { recursive: true })
})

async function start(port: number): Promise<ControlSocket> {
  const socket = await openControl(port, `token-${port}`, controlled(createModel(createEvents())))
  open.add(socket)
  return socket
}

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
const codeOf = async (work: Promise<unknown>) => {
  try {
    await work
  } catch (error) {
    if (error instanceof CodedError) return error.code
    throw error
  }
  return 'none'
}

test('where its token cannot be written, nothing is left open', async () => {
  mkdirSync(join(folder, '40001.token'), { recursive: true, mode: 0o700 })
  assert.is(await codeOf(start(40_001)), 'E_CONTROL_PATH')
  assert.not(existsSync(join(folder, '40001.sock')))
})

test('is for its user alone, and gone when the proxy ends', async () => {
  const socket = await start(40_001)
  assert.is(socket.path, join(folder, '40001.sock'))
  assert.is(mode(folder), '700')
  assert.is(mode(socket.path), '600')
  assert.is(mode(join(folder, '40001.token')), '600')
  assert.is(readFileSync(join(folder, '40001.token'), 'utf8'), 'token-40001\n')
  assert.is(mode(join(folder, '40001.pid')), '600')
  assert.is((await findProxy()).pid, process.pid)
  socket.close()
  assert.equal(readdirSync(folder), [])
})

test('says who it is, and does what it is asked', async () => {
  await start(40_002)
  const proxy = await findProxy()
  const { pid, listeners, startedAt } = await proxy.ask('status', {})
  assert.is(pid, process.pid)
  assert.is(listeners[0]?.port, 1080)
  assert.ok(startedAt <= Date.now())
  assert.equal(await proxy.ask('exits', {}), [])
  assert.is(await codeOf(proxy.ask('rotate', { exit: 'x' })), 'E_EXIT_NOT_FOUND')
  assert.is(await codeOf(proxy.ask('rotate', { all: true })), 'E_EXIT_NOT_ACTIVE')
})

test('refuses what it does not know, with what it does', async () => {
  const { path } = await start(40_003)
  const ask = (target: string, body: string, method = 'POST') =>
    fetch(`http://localhost${target}`, { method, unix: path, ...(method === 'POST' && { body }) })
  assert.is((await ask('/api/explode', '{}')).status, 404)
  assert.is((await ask('/', '{}')).status, 404)
  assert.is((await ask('/', '', 'GET')).status, 404)
  for (const method of ['GET', 'HEAD', 'PUT']) {
    const { status, headers } = await ask('/api/status', '', method)
    assert.equal([status, headers.get('allow')], [405, 'POST, OPTIONS'], method)
    assert.is((await ask('/api/explode', '', method)).status, 404)
  }
  const options = await ask('/api/status', '', 'OPTIONS')
  assert.equal([options.status, options.headers.get('allow')], [204, 'POST, OPTIONS'])
  assert.is((await ask('/api/ban', '{"site":1}')).status, 400)
  assert.is((await ask('/api/ban', 'x'.repeat(10_000))).status, 413)
  assert.match(
    await (await ask('/api/rotate', '{"exit":""}')).text(),
    /E_CONTROL_REQUEST.*\{\\"all\\": true\}/,
  )
})

test('no proxy, one, or several: which one is meant is asked for', async () => {
  assert.is(await codeOf(findProxy()), 'E_PROXY_NOT_RUNNING')
  await start(40_004)
  assert.is((await findProxy()).port, 40_004)
  assert.is(await codeOf(findProxy(40_005)), 'E_PROXY_NOT_RUNNING')
  await start(40_005)
  assert.is(await codeOf(findProxy()), 'E_SEVERAL_PROXIES')
  assert.is((await findProxy(40_005)).port, 40_005)
})

test('what a dead process left is removed, and a living one keeps its own', async () => {
  mkdirSync(folder)
  const script = `Bun.serve({ unix: ${JSON.stringify(join(folder, '40006.sock'))}, fetch: () => new Response() }); console.log('up')`
  const dying = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' })
  await dying.stdout.getReader().read()
  dying.kill('SIGKILL')
  await dying.exited
  assert.ok(existsSync(join(folder, '40006.sock')), 'a killed process leaves its socket')
  assert.equal(await runningProxies(), [])
  await start(40_007)
  assert.is(existsSync(join(folder, '40006.sock')), false)
  assert.is(await codeOf(start(40_007)), 'E_CONTROL_BUSY')
  assert.is((await findProxy()).port, 40_007)
})

test('one that says nothing keeps its socket', async () => {
  mkdirSync(folder)
  const silent = createServer(() => {})
  await new Promise<void>(resolve => silent.listen(join(folder, '40008.sock'), resolve))
  try {
    assert.is(await codeOf(start(40_008)), 'E_CONTROL_BUSY')
  } finally {
    silent.close()
  }
})

test('one that hangs, however many others do, is connected to and not waited for', async () => {
  const own = await start(40_010)
  const hanging = ['40011', '40012', '40013'].map(port =>
    createServer(() => {}).listen(join(folder, `${port}.sock`)),
  )
  let looked = 0
  let said = ''
  try {
    await Promise.all(hanging.map(server => once(server, 'listening')))
    for (const server of hanging)
      server.on('connection', socket => {
        looked++
        socket.on('data', data => {
          said += data
        })
      })
    const proxy = await findProxy(40_010)
    assert.equal(await proxy.ask('exits', {}), [])
    assert.is(looked, 0, 'only the one that is meant')
    await start(40_014)
    assert.equal(
      (await runningProxies()).map(({ port }) => port),
      [40_010, 40_011, 40_012, 40_013, 40_014],
    )
    await until(() => looked === 6, 'two looks at each')
    assert.is(said, '', 'nothing that could be answered')
  } finally {
    for (const server of hanging) server.close()
    own.close()
  }
})

test('one that is stopped keeps its socket, also with as many connections waiting as it may have', async () => {
  mkdirSync(folder)
  const path = join(folder, '40016.sock')
  const script = `Bun.serve({ unix: ${JSON.stringify(path)}, fetch: () => new Response() }); console.log('up')`
  const stopped = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' })
  const waiting: { end(): void }[] = []
  try {
    await stopped.stdout.getReader().read()
    stopped.kill('SIGSTOP')
    const connect = () => Bun.connect({ unix: path, socket: { data() {}, error() {} } })
    for (let full = false; !full; )
      await connect().then(
        connection => waiting.push(connection),
        () => {
          full = true
        },
      )
    assert.equal(
      (await runningProxies()).map(({ port }) => port),
      [40_016],
    )
    await start(40_017)
    assert.ok(existsSync(path))
  } finally {
    stopped.kill('SIGKILL')
    for (const connection of waiting) connection.end()
    await stopped.exited
  }
})

test('who does not answer in time is told by its process and what to do with it', async () => {
  mkdirSync(folder)
  const silent = createServer(() => {})
  await new Promise<void>(resolve => silent.listen(join(folder, '40018.sock'), resolve))
  const errorOf = async () => {
    const proxy = await findProxy()
    try {
      await proxy.ask('status', {}, 50)
    } catch (error) {
      if (error instanceof CodedError) return error
    }
    throw new Error('it was answered')
  }
  try {
    const { code, message, hint } = await errorOf()
    assert.is(code, 'E_CONTROL_SILENT')
    assert.is(message, 'the proxy at port 40018 did not answer within 0.05 s')
    assert.is(hint, 'Its process may be stopped: let it go on, or end it.')
    writeFileSync(join(folder, '40018.pid'), '4321\n')
    assert.match((await errorOf()).hint!, '"kill -CONT 4321"')
    writeFileSync(join(folder, '40018.pid'), '-1\n')
    assert.match((await errorOf()).hint!, 'Its process')
  } finally {
    silent.close()
  }
})

test('a proxy that ends while it is asked, or answers what none does, is told as such', async () => {
  mkdirSync(folder)
  let reply = ''
  const status = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', request => socket.end(String(request).includes('/api/status ') ? status : reply))
  })
  await new Promise<void>(resolve => server.listen(join(folder, '40015.sock'), resolve))
  const proxy = await findProxy()
  try {
    for (const each of [
      '',
      'HTTP/1.1 200 OK\r\ncontent-length: 300\r\n\r\n{}',
      'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nxyz',
      'HTTP/1.1 500 no\r\ncontent-length: 2\r\n\r\n[]',
    ]) {
      reply = each
      assert.is(await codeOf(proxy.ask('exits', {})), 'E_CONTROL_LOST', each)
    }
  } finally {
    server.close()
  }
  assert.is(await codeOf(proxy.ask('exits', {})), 'E_CONTROL_LOST')
})

test('a folder that is too deep for a socket is told', async () => {
  process.env.XDG_RUNTIME_DIR = join(home, 'x'.repeat(100))
  assert.is(await codeOf(start(40_009)), 'E_CONTROL_PATH')
})

test('a folder that others could look into is closed to them', async () => {
  mkdirSync(folder)
  chmodSync(folder, 0o777)
  await start(40_010)
  assert.is(mode(folder), '700')
})

test('a reload that fails says each thing once, in one sentence', () => {
  const [same, other] = [new UsageError('a is wrong. Allowed is b.'), new UsageError('c is missing')]
  const { message } = reloadError(new AggregateError([same, other, same]))
  assert.is(message, 'nothing has changed: a is wrong. Allowed is b; c is missing')
})

test.run()
