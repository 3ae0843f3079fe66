import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { finish } from '../lab/running.ts'
import { clientRows } from '../support/client-rows.ts'
import { type ClientWorld, clientWorld, login, name } from '../support/client-world.ts'
import { curl } from '../support/curl.ts'
import { need, needPip } from '../support/need.ts'
import { npmRegistry } from '../support/npm-registry.ts'

interface Context extends ClientWorld {
  /** A folder of a Git repository, as a web server without more would serve it. */
  repository: string
}

const test = suite<Context>('Other people’s clients')
const { works, complete } = clientRows(test)
const node = join(import.meta.dir, '../../node_modules/node/bin/node')
const text = 'what the origin says'
const packages = ['requests', 'PySocks']

test.before(async context => {
  const repository: { folder?: string } = {}
  const registry = npmRegistry()
  Object.assign(
    context,
    await clientWorld(request => {
      const { pathname } = new URL(request.url)
      if (pathname.startsWith('/repository.git/'))
        return fileResponse(join(repository.folder!, pathname.replace('/repository.git/', '')))
      return registry(request) ?? new Response(text)
    }),
  )
  repository.folder = context.repository = await gitRepository(context.folder)
})
test.after(context => context.close())

async function fileResponse(path: string): Promise<Response> {
  const file = Bun.file(path)
  return (await file.exists()) ? new Response(file) : new Response(null, { status: 404 })
}

/** A bare repository with one commit and what a dumb server needs. */
async function gitRepository(folder: string): Promise<string> {
  const work = join(folder, 'work')
  const bare = join(folder, 'bare')
  await mkdir(work)
  await writeFile(join(work, 'file'), text)
  const git = (...args: string[]) =>
    finish(['git', '-c', 'user.name=a', '-c', 'user.email=a@a.example', ...args], '', { cwd: work })
  await git('init', '-q')
  await git('add', 'file')
  await git('commit', '-qm', 'first')
  await git('clone', '-q', '--bare', '.', bare)
  await finish(['git', 'update-server-info'], '', { cwd: bare })
  return bare
}

const proxyUrl = ({ proxy }: Context, scheme: string) => `${scheme}://127.0.0.1:${proxy.port}`
const lockedUrl = ({ lockedPort }: Context, scheme: string, password = login.password) =>
  `${scheme}://${login.user}:${password}@127.0.0.1:${lockedPort}`

async function assertCurl(...args: string[]): Promise<void> {
  const { exit, status, body } = await curl(...args)
  assert.equal([exit, status, body], [0, 200, text])
}

works('curl', 'SOCKS5, addresses (`socks5://`)', context =>
  assertCurl('-x', proxyUrl(context, 'socks5'), `http://127.0.0.1:${context.http.port}/`),
)
works('curl', 'SOCKS5, names at the exit (`socks5h://`)', context =>
  assertCurl('-x', proxyUrl(context, 'socks5h'), context.http.url),
)
works('curl', 'SOCKS5, HTTPS', context =>
  assertCurl('-x', proxyUrl(context, 'socks5h'), '--cacert', context.authorities, context.https.url),
)
works('curl', 'HTTP proxy', context => assertCurl('-x', proxyUrl(context, 'http'), context.http.url))
works('curl', 'HTTP proxy, HTTPS through CONNECT', context =>
  assertCurl('-x', proxyUrl(context, 'http'), '--cacert', context.authorities, context.https.url),
)
works('curl', 'SOCKS5 with a login', async context => {
  await assertCurl('-x', lockedUrl(context, 'socks5h'), context.http.url)
  const before = context.http.paths.length
  const refused = 97
  for (const url of [lockedUrl(context, 'socks5h', 'wrong'), `socks5h://127.0.0.1:${context.lockedPort}`])
    assert.is((await curl('-x', url, context.http.url)).exit, refused)
  assert.is(context.http.paths.length, before)
})
works('curl', 'HTTP proxy with a login', async context => {
  const { http, https, authorities, lockedPort } = context
  await assertCurl('-x', lockedUrl(context, 'http'), http.url)
  await assertCurl('-x', lockedUrl(context, 'http'), '--cacert', authorities, https.url)
  const before = http.paths.length + https.paths.length
  for (const url of [lockedUrl(context, 'http', 'wrong'), `http://127.0.0.1:${lockedPort}`]) {
    assert.is((await curl('-x', url, http.url)).status, 407)
    const recvError = 56
    assert.is((await curl('-x', url, '--cacert', authorities, https.url)).exit, recvError)
  }
  assert.is(http.paths.length + https.paths.length, before)
})

for (const [mode, scheme] of [
  ['clone over HTTPS, SOCKS5 (`http.proxy`)', 'socks5h'],
  ['clone over HTTPS, HTTP proxy (`http.proxy`)', 'http'],
] as const)
  works('Git', mode, async context => {
    const { folder, authorities, https } = context
    const into = join(folder, `clone-${scheme}`)
    const proxy = `http.proxy=${proxyUrl(context, scheme)}`
    const url = `${https.url}/repository.git`
    const env = { GIT_SSL_CAINFO: authorities }
    await finish(['git', '-c', proxy, 'clone', '-q', url, into], '', { env })
    assert.is(await Bun.file(join(into, 'file')).text(), text)
  })

const requests = `
import requests, sys
proxy, url, authorities = sys.argv[1:]
print(requests.get(url, proxies={'http': proxy, 'https': proxy}, verify=authorities, timeout=20).text, end='')
`
for (const [mode, scheme] of [
  ['SOCKS5 (`socks5h://`, with PySocks)', 'socks5h'],
  ['HTTP proxy', 'http'],
] as const)
  works('Python requests', mode, async context => {
    const python = needPip(packages)!
    for (const { url } of [context.http, context.https]) {
      const args = [proxyUrl(context, scheme), url, context.authorities]
      assert.is(await finish([python, '-c', requests, ...args]), text)
      const login = [lockedUrl(context, scheme), url, context.authorities]
      assert.is(await finish([python, '-c', requests, ...login]), text)
    }
  })

works('Node 24 fetch', 'HTTP proxy (`NODE_USE_ENV_PROXY=1`)', async context => {
  const { http, https, authorities } = context
  const script =
    'fetch(process.argv[1]).then(answer => answer.text()).then(text => process.stdout.write(text))'
  for (const proxy of [proxyUrl(context, 'http'), lockedUrl(context, 'http')])
    for (const { url } of [http, https]) {
      const env = {
        NODE_USE_ENV_PROXY: '1',
        HTTP_PROXY: proxy,
        HTTPS_PROXY: proxy,
        NODE_EXTRA_CA_CERTS: authorities,
      }
      assert.is(await finish([node, '-e', script, url], '', { env }), text)
    }
})

for (const [mode, scheme] of [
  ['view and install, SOCKS5 (`proxy`, `socks5h://`)', 'socks5h'],
  ['view and install, HTTP proxy (`proxy`)', 'http'],
] as const)
  works('npm', mode, async context => {
    const { folder, http } = context
    const cwd = join(folder, `npm-${scheme}`)
    await mkdir(cwd)
    await writeFile(join(cwd, 'package.json'), '{ "name": "host", "version": "1.0.0" }')
    const proxy = proxyUrl(context, scheme)
    const settings = { registry: http.url, proxy, 'https-proxy': proxy, cache: join(cwd, 'cache') }
    const options = Object.entries(settings).map(([key, value]) => `--${key}=${value}`)
    const npm = (...args: string[]) =>
      finish(['npm', ...args, ...options, '--no-audit', '--no-fund', '--fetch-retries=0'], '', {
        cwd,
        env: { HOME: cwd },
      })
    assert.is((await npm('view', 'tiny-package', 'version')).trim(), '1.2.3')
    await npm('install', 'tiny-package')
    assert.is(
      await finish([node, '-p', "require('tiny-package')"], '', { cwd }),
      'what the tiny package says\n',
    )
  })

works(
  'proxychains4',
  'any program, here curl over HTTP and HTTPS',
  async ({ proxy, folder, authorities, http, https }) => {
    const file = join(folder, 'proxychains.conf')
    await writeFile(
      file,
      `strict_chain\nquiet_mode\nproxy_dns\n[ProxyList]\nsocks5 127.0.0.1 ${proxy.port}\n`,
    )
    for (const { url } of [http, https]) {
      const command = ['curl', '-q', '-sS', '-m', '20', '--cacert', authorities, url]
      assert.is(await finish(['proxychains4', '-q', '-f', file, ...command]), text)
    }
  },
)

test('only the exit’s DNS server knew the name, and every connection went through an exit', ({
  dns,
  proxy,
}) => {
  assert.ok(dns.queries.includes(`${name} A`))
  const opened = proxy.told('connection.opened')
  assert.ok(opened.length > 0)
  assert.ok(opened.every(({ outbound }) => outbound === 'tunnel'))
})

complete()

const programs = ['curl', 'git', 'npm', 'proxychains4']
// One at a time: npm may be there from another source, with which Debian's package is in conflict.
if (programs.every(program => need([program], [program])) && needPip(packages)) test.run()
