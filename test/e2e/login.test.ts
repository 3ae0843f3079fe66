import { writeFile } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeHome } from '../support/command.ts'
import { curl, haveCurl } from '../support/curl.ts'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'
import { type Target, webServer } from '../support/servers.ts'

interface Context {
  proxy: LocalProxy
  web: Target
}

const test = suite<Context>('logins, real clients')

test.before(async context => {
  const file = join(tmpdir(), `lambda-nat-proxy-test-logins-${process.pid}`)
  await writeFile(file, '# of the office\ncarol:from-file\n')
  context.web = webServer()
  context.proxy = await startProxy({
    args: ['--local', '--allow-private', '--auth', 'alice:from-option', '--auth-file', file],
    env: { LAMBDA_NAT_PROXY_AUTH: 'bob:from-environment' },
  })
  await Bun.file(file).delete()
})
test.after(async ({ proxy, web }) => {
  await proxy.close()
  await web.close()
})

const schemes = ['socks5', 'socks5h', 'http']

if (haveCurl()) {
  test('curl gets in with each login, wherever it was given, and with parameters behind the name', async ({
    proxy,
    web,
  }) => {
    for (const scheme of schemes)
      for (const login of [
        'alice:from-option',
        'bob:from-environment',
        'carol:from-file',
        'alice-region-local-1-session-abc:from-option',
      ]) {
        const { exit, status } = await curl(
          ...['-x', `${scheme}://127.0.0.1:${proxy.port}`, '-U', login, '-o', '/dev/null'],
          `http://127.0.0.1:${web.port}/bytes/100`,
        )
        assert.equal([exit, status], [0, 200], `${scheme} ${login}`)
      }
  })

  test('curl is kept out with a wrong login or none', async ({ proxy, web }) => {
    const url = `http://127.0.0.1:${web.port}/bytes/100`
    for (const login of [undefined, 'alice:wrong', 'nobody:from-option', 'alice-region-local-1:from-file']) {
      const user = login === undefined ? [] : ['-U', login]
      const http = await curl('-x', `http://127.0.0.1:${proxy.port}`, ...user, url)
      assert.is(http.status, 407, login)
      const connect = await curl('-p', '-x', `http://127.0.0.1:${proxy.port}`, ...user, url)
      assert.is(connect.exit, 56, login)
      const socks = await curl('-x', `socks5h://127.0.0.1:${proxy.port}`, ...user, url)
      assert.is(socks.exit, 97, login)
    }
  })

  test('curl asks for a region by its user name where no login is needed', async ({ web }) => {
    const open = await startProxy()
    for (const login of ['region-local-1:', 'region-local-1:x']) {
      const { exit, status } = await curl(
        ...['-x', `socks5h://127.0.0.1:${open.port}`, '-U', login, '-o', '/dev/null'],
        `http://127.0.0.1:${web.port}/bytes/100`,
      )
      assert.equal([exit, status], [0, 200], login)
    }
    await open.close()
  })
}

test('no password is ever told', ({ proxy }) => {
  const said = proxy.said()
  assert.match(said, 'wrong user name or password')
  assert.match(said, '"connection.opened"')
  for (const password of ['from-option', 'from-environment', 'from-file', 'alice:wrong'])
    assert.not.match(said, password)
})

test('a listener that other machines can reach needs a login, or to be opened on purpose', async () => {
  const home = await makeHome()
  const [outside = '0.0.0.0'] = Object.values(networkInterfaces())
    .flatMap(each => each ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address)
  for (const host of ['0.0.0.0', '::', outside]) {
    const { code, said } = await home.run('run', '--local', '--host', host, '--port', '0')
    assert.is(code, 2, said)
    assert.match(said, '--auth-file')
    assert.match(said, '--allow-open')
  }
  await home.remove()
  for (const args of [['--allow-open'], ['--auth', 'alice:secret']]) {
    const proxy = await startProxy({ args: ['--local', '--host', '0.0.0.0', ...args] })
    await proxy.close()
  }
})

test.run()
