import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Home, makeHome } from '../support/command.ts'
import { startProxy } from '../support/local-proxy.ts'
import { need } from '../support/need.ts'

// The lines, in the shells that they are for.

const test = suite<{ home: Home }>('lambda-nat-proxy env')

test.before.each(async context => {
  context.home = await makeHome()
})
test.after.each(({ home }) => home.remove())

const variables = ['ALL_PROXY', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']
const unixVariables = variables.flatMap(name => [name, name.toLowerCase()])
const values = {
  ALL_PROXY: 'socks5h://127.0.0.1:1080',
  HTTP_PROXY: 'http://127.0.0.1:1080',
  HTTPS_PROXY: 'http://127.0.0.1:1080',
  NO_PROXY: 'localhost,127.0.0.1,::1',
}
const shown = (text: string) =>
  Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map(line => line.split(/=(.*)/s)),
  )

/** What a shell has in its environment once it has run some lines. */
function environmentAfter(shell: string, script: string, given: Record<string, string> = {}) {
  const env = { PATH: '/usr/bin:/bin', ...given }
  const { stdout, stderr, status } = spawnSync(shell, ['-c', `${script}\nenv`], { encoding: 'utf8', env })
  assert.is(status, 0, stderr)
  const all = shown(stdout)
  return Object.fromEntries(unixVariables.flatMap(name => (name in all ? [[name, all[name]]] : [])))
}

const both = Object.fromEntries(
  Object.entries(values).flatMap(([name, value]) => [
    [name, value],
    [name.toLowerCase(), value],
  ]),
)

for (const shell of ['sh', 'bash', 'zsh', 'fish'])
  test(`${shell} takes the lines, and takes them back`, async ({ home }) => {
    if (!need([shell], [shell])) return
    const syntax = shell === 'fish' ? 'fish' : 'sh'
    const { stdout: set } = await home.run('env', '--shell', syntax)
    assert.equal(environmentAfter(shell, set), both)
    const { stdout: unset } = await home.run('env', '--shell', syntax, '--unset')
    assert.equal(environmentAfter(shell, unset, both), {})
  })

test('PowerShell and cmd have their own syntax', async ({ home }) => {
  const lines = async (...args: string[]) =>
    (await home.run('env', '--shell', ...args)).stdout.trim().split('\n')
  assert.equal(
    await lines('powershell'),
    Object.entries(values).map(([name, value]) => `$Env:${name} = '${value}'`),
  )
  assert.equal(
    await lines('cmd'),
    Object.entries(values).map(([name, value]) => `set "${name}=${value}"`),
  )
  assert.equal(
    await lines('cmd', '--unset'),
    variables.map(name => `set "${name}="`),
  )
})

test('the shell is that of $SHELL, where fish is', async ({ home }) => {
  assert.match((await home.run('env')).stdout, /^export ALL_PROXY=/)
  home.environment.SHELL = '/usr/bin/fish'
  assert.match((await home.run('env')).stdout, /^set -gx ALL_PROXY /)
})

test('address and port are those of the configuration', async ({ home }) => {
  const folder = join(home.folder, 'home/.config/lambda-nat-proxy')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'lambda-nat-proxy.yaml'), 'proxy:\n  host: 0.0.0.0\n  port: 3128\n')
  assert.match((await home.run('env')).stdout, "ALL_PROXY='socks5h://127.0.0.1:3128'")
  assert.match(
    (await home.run('env', '--host', 'fd00::1', '--port', '99')).stdout,
    "'socks5h://[fd00::1]:99'",
  )
})

test('what cannot be used is refused', async ({ home }) => {
  for (const [args, ...words] of [
    [['--port', '0'], '--port'],
    [['--port', '70000'], '--port', '65535'],
    [['--shell', 'tcsh'], 'tcsh', 'fish'],
  ] as const) {
    const { code, stdout, said } = await home.run('env', ...args)
    assert.is(code, 2, said)
    assert.is(stdout, '')
    for (const word of words) assert.match(said, word)
  }
})

test('a value with quotes in it stays one value', async ({ home }) => {
  const host = `it's\\me`
  for (const shell of ['sh', 'fish']) {
    if (!need([shell], [shell])) return
    const { stdout } = await home.run('env', '--shell', shell, '--host', host)
    assert.is(environmentAfter(shell, stdout).ALL_PROXY, `socks5h://${host}:1080`)
  }
})

test('curl goes through the proxy by these lines', async ({ home }) => {
  if (!need(['curl'], ['curl'])) return
  const proxy = await startProxy()
  const web = Bun.serve({ port: 0, hostname: '127.0.0.2', fetch: () => new Response('hello') })
  try {
    const { stdout } = await home.run('env', '--shell', 'sh', '--port', String(proxy.port))
    const script = `${stdout}\ncurl --silent --max-time 20 http://127.0.0.2:${web.port}/`
    const child = Bun.spawn(['sh', '-c', script], { env: { PATH: '/usr/bin:/bin' }, stdout: 'pipe' })
    assert.is(await new Response(child.stdout).text(), 'hello')
    await proxy.event('connection.opened')
  } finally {
    await web.stop(true)
    await proxy.close()
  }
})

test.run()
