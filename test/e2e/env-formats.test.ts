import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { finish } from '../lab/running.ts'
import { awkward, type ClientWorld, clientWorld, name, quoteless } from '../support/client-world.ts'
import { type Home, makeHome } from '../support/command.ts'
import { need } from '../support/need.ts'

// What `env --format` prints, in the programs that it is for.

interface Context extends ClientWorld {
  home: Home
}

const test = suite<Context>('lambda-nat-proxy env --format')
const text = 'what the origin says'
/** As a repository's references are served by a web server without more, and as Git lists them. */
const reference = `${'0123456789'.repeat(4)}\trefs/heads/main\n`

test.before(async context => {
  context.home = await makeHome()
  const serve = ({ url }: Request) => new Response(url.includes('/info/refs') ? reference : text)
  Object.assign(context, await clientWorld(serve))
})
test.after(async context => {
  await context.close()
  await context.home.remove()
})

/** Runs it with this on its standard input. */
async function runWith(home: Home, input: string, ...args: string[]) {
  home.environment.INPUT = input
  home.before = ['sh', '-c', 'printf %s "$INPUT" | "$@"', 'sh']
  return await home.run(...args)
}

interface Login {
  user: string
  password: string
}

/** The path of a file with the configuration, for the proxy's listener that asks for a login where there is one. */
async function written({ home, folder, proxy, lockedPort }: Context, format: string, login?: Login) {
  const port = String(login ? lockedPort : proxy.port)
  const command = ['env', '--format', format, '--port', port, ...(login ? ['--user', login.user] : [])]
  const { code, stdout, said } = await runWith(home, `${login?.password}\n`, ...command)
  assert.is(code, 0, said)
  const path = join(folder, format)
  await writeFile(path, stdout)
  return path
}

const env = { HOME: undefined, NO_PROXY: undefined, no_proxy: undefined }

for (const login of [undefined, awkward])
  test(`curl takes it${login ? ', with a login' : ''}`, async context => {
    const path = await written(context, 'curlrc', login)
    const { http, https, authorities } = context
    for (const { url } of [http, https]) {
      const command = ['curl', '-q', '-sS', '-m', '20', '--cacert', authorities, '-K', path, url]
      assert.is(await finish(command, '', { env }), text)
    }
  })

for (const login of [undefined, awkward])
  test(`Git takes it${login ? ', with a login' : ''}`, async context => {
    const path = await written(context, 'git', login)
    const { https, authorities } = context
    const command = ['git', '-c', `include.path=${path}`, 'ls-remote', `${https.url}/repository.git`]
    assert.is(await finish(command, '', { env: { ...env, GIT_SSL_CAINFO: authorities } }), reference)
  })

for (const login of [undefined, quoteless])
  test(`proxychains4 takes it${login ? ', with a login' : ''}`, async context => {
    const path = await written(context, 'proxychains', login)
    const { http, https, authorities } = context
    for (const { url } of [http, https]) {
      const command = ['curl', '-q', '-sS', '-m', '20', '--cacert', authorities, url]
      assert.is(await finish(['proxychains4', '-q', '-f', path, ...command], '', { env }), text)
    }
  })

test('only the exit’s DNS server knew the name', ({ dns }) => {
  assert.ok(dns.queries.includes(`${name} A`))
})

test('what cannot be written, or means two things, is refused', async ({ home }) => {
  for (const [password, args, ...words] of [
    ['', ['--format', 'netrc'], 'netrc', 'curlrc'],
    ['', ['--format', 'git', '--shell', 'sh'], '--shell'],
    ['', ['--format', 'git', '--unset'], '--unset'],
    ['', ['--format', 'proxychains', '--host', 'localhost'], 'localhost'],
    ['two words\n', ['--format', 'proxychains', '--user', 'a'], 'blanks'],
    ['word\n', ['--user', 'a:b'], 'colons'],
    ['\x1b[1m\n', ['--user', 'a'], 'control characters'],
    ['', ['--user', 'a'], 'standard input'],
    ['\n', ['--user', 'a'], 'password'],
  ] as const) {
    const { code, stdout, said } = await runWith(home, password, 'env', ...args)
    assert.is(code, 2, said)
    assert.is(stdout, '')
    for (const word of words) assert.match(said, word)
    if (password.trim()) assert.not.match(said, password.trim())
  }
})

if (['curl', 'git', 'proxychains4'].every(program => need([program], [program]))) test.run()
