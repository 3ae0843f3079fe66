import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { type Home, makeHome } from '../support/command.ts'
import { freePort } from '../support/free-port.ts'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'
import { fetchBytes } from '../support/origin.ts'
import { type OriginContext, originSuite } from '../support/origin-suite.ts'
import { SocksError } from '../support/socks-client.ts'
import { until } from '../support/until.ts'

interface Context extends OriginContext {
  home: Home
  proxy: LocalProxy
  /** Writes the configuration file. */
  configure(text: string): void
  /** Writes the file of logins. */
  admit(...logins: string[]): void
}

const test = originSuite<Context>('Reload', '0.0.0.0')

interface Start {
  configuration?: string
  /** The file of settings has its usual place, and no option names it. */
  isUsual?: boolean
}

/** A proxy that has its settings and logins from files. Gives their paths. */
async function start(context: Context, { configuration = '', isUsual = false }: Start = {}) {
  const home = await makeHome()
  context.keep({ close: home.remove })
  context.home = home
  home.environment.XDG_RUNTIME_DIR = home.folder
  const usual = join(home.folder, 'lambda-nat-proxy', 'lambda-nat-proxy.yaml')
  const [file, logins] = [isUsual ? usual : join(home.folder, 'settings.yaml'), join(home.folder, 'logins')]
  mkdirSync(dirname(file), { recursive: true })
  context.configure = text => writeFileSync(file, `proxy:\n  auth_file: ${logins}\n${text}`, { mode: 0o600 })
  context.admit = (...lines) => writeFileSync(logins, `${lines.join('\n')}\n`, { mode: 0o600 })
  context.admit('alice:x')
  context.configure(configuration)
  context.proxy = context.keep(
    await startProxy({
      args: [
        ...['--local', '--allow-private', '--launches-per-minute', '100'],
        ...(isUsual ? [] : ['--config', file]),
      ],
      env: { XDG_RUNTIME_DIR: home.folder, XDG_CONFIG_HOME: home.folder, LAMBDA_NAT_PROXY_SERVICE: 'a test' },
    }),
  )
  return { file, logins }
}

// The client's passwords are all this one.
const alice = { user: 'alice' }
const bob = { user: 'bob' }

/** The system's code for why there is no connection to a port. */
const refusedAt = (port: number) =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve('connected')
    })
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code))
  })

test('a hang-up applies what has changed, and a download goes on', async context => {
  await start(context)
  const { proxy, origin, configure, admit } = context
  let received = 0
  const download = fetchBytes({
    ...{ origin, proxy: proxy.port, bytes: 4_000_000, rate: 1_000_000 },
    ...alice,
    onProgress: bytes => {
      received = bytes
    },
  })
  await until(() => received > 100_000, 'the download to begin')

  const port = await freePort()
  configure(
    `  http_port: ${port}\n  rules: [block 127.0.0.9]\n  dns: 1.1.1.1\nfleet:\n  sessions: 2\n  rotate: 5m\n  exit: round-robin\n`,
  )
  admit('bob:x')
  process.kill(proxy.pid, 'SIGHUP')
  const { applied, needRestart, logins } = await proxy.event('config.reloaded')
  assert.equal(applied.map(({ key }) => key).sort(), [
    'fleet.exit',
    'fleet.rotate',
    'fleet.sessions',
    'proxy.http_port',
    'proxy.rules',
  ])
  const { replaceMs } = await proxy.event('exit.rescheduled')
  assert.ok(replaceMs > 0 && replaceMs <= 300_000)
  assert.equal(needRestart, [{ key: 'proxy.dns', to: '1.1.1.1' }])
  assert.equal(logins, { added: ['bob'], removed: ['alice'], changed: [] })

  await until(() => proxy.told('exit.ready').length === 2, 'the second exit')
  const fetchAs = (login: typeof alice, at = proxy.port, host = '127.0.0.1') =>
    fetchBytes({ origin, proxy: at, host, bytes: 10, ...login })
  assert.ok((await fetchAs(bob)).complete)
  const away = await fetchAs(alice).catch(error => error)
  assert.instance(away, SocksError)
  const blocked = await fetchAs(bob, proxy.port, '127.0.0.9').catch(error => error)
  assert.instance(blocked, SocksError)
  const byHttp = await fetch(`http://127.0.0.9:${origin.port}/`, {
    proxy: `http://bob:x@127.0.0.1:${port}`,
  })
  assert.is(byHttp.status, 403)

  const { complete, wrong } = await download
  assert.equal({ complete, wrong }, { complete: true, wrong: 0 })

  // And away again.
  configure('')
  process.kill(proxy.pid, 'SIGHUP')
  await until(() => proxy.told('config.reloaded').length === 2, 'the second reload')
  await until(() => proxy.told('exit.draining').length === 1, 'the exit beyond the number to drain')
  assert.is(await refusedAt(port), 'ECONNREFUSED')
  assert.is(await proxy.stop('SIGTERM'), 0)
})

test('files that are wrong change nothing, and all that is wrong is said', async context => {
  await start(context)
  const { proxy, origin, home, configure, admit } = context
  const works = async () =>
    assert.ok((await fetchBytes({ origin, proxy: proxy.port, bytes: 10, ...alice })).complete)
  const refused = async (what: RegExp) => {
    const { code, said } = await home.run('reload')
    assert.is(code, 1, said)
    assert.match(said, /nothing has changed/)
    assert.match(said, what)
    await works()
  }
  configure('  http_port: many\nfleet:\n  sessions: 2\n  standby: -1\n')
  await refused(/http_port must be a port.*standby must be/)
  configure(`  http_port: ${proxy.port}\n  rules: [block *]\n`)
  await refused(/is in use/)
  configure('  listen: [http://0.0.0.0:0]\n')
  admit()
  await refused(/contains no login/)
  admit('alice:x')
  configure('')
  const { code, said } = await home.run('reload')
  assert.is(code, 0, said)
  assert.match(said, /nothing has changed/)
  await works()
  assert.is(proxy.told('config.rejected').length, 3)
  assert.is(proxy.told('config.rejected')[0]!.code, 'E_RELOAD_FAILED')
  assert.is(proxy.told('exit.launching').length, 1)
})

for (const isUsual of [true, false])
  test(`a file that was read before and is gone changes nothing (${isUsual ? 'in its usual place' : 'named'})`, async context => {
    const { file, logins } = await start(context, { isUsual })
    const { proxy, origin, home } = context
    for (const gone of [file, logins]) {
      renameSync(gone, `${gone}.away`)
      const { code, said } = await home.run('reload')
      assert.is(code, 1, said)
      assert.match(said, 'nothing has changed')
      assert.match(said, gone)
      // The login is still asked for, and taken.
      const without = await fetchBytes({ origin, proxy: proxy.port, bytes: 10 }).catch(error => error)
      assert.instance(without, SocksError)
      assert.ok((await fetchBytes({ origin, proxy: proxy.port, bytes: 10, ...alice })).complete)
      renameSync(`${gone}.away`, gone)
    }
    assert.is((await home.run('reload')).code, 0)
  })

test.run()
