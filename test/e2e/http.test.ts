import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createIdentity } from '../../tunnel/quic/identity.ts'
import { content } from '../lab/content.ts'
import { curl, haveCurl } from '../support/curl.ts'
import { type LocalProxy, startProxy, type Told } from '../support/local-proxy.ts'
import { type Target, webServer } from '../support/servers.ts'
import { until } from '../support/until.ts'

interface Context {
  proxy: LocalProxy
  web: Target
  secure: Server
  securePort: number
}

const test = suite<Context>('HTTP proxy, real clients')
const node = join(import.meta.dir, '../../node_modules/node/bin/node')
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

test.before(async context => {
  context.web = webServer()
  const { key, certificate } = await createIdentity()
  context.secure = createServer(
    { key: Buffer.from(key), cert: Buffer.from(certificate) },
    (request, response) => {
      response.end(`secure ${request.method} ${request.url}`)
    },
  ).listen(0, '127.0.0.1')
  await once(context.secure, 'listening')
  context.securePort = (context.secure.address() as { port: number }).port
  context.proxy = await startProxy({ args: ['--local', '--allow-private', '--http-port', '0'] })
})
test.after(async ({ proxy, web, secure }) => {
  await proxy.close()
  await web.close()
  secure.closeAllConnections()
  secure.close()
})

if (haveCurl()) {
  test('curl fetches the same 5 MB through SOCKS5, SOCKS5h, HTTP and CONNECT on one port', async ({
    proxy,
    web,
  }) => {
    const url = `http://127.0.0.1:${web.port}/bytes/5000000`
    const file = join(proxy.folder, 'got')
    for (const args of [
      ['-x', `socks5://127.0.0.1:${proxy.port}`],
      ['-x', `socks5h://127.0.0.1:${proxy.port}`],
      ['-x', `http://127.0.0.1:${proxy.port}`],
      ['-p', '-x', `http://127.0.0.1:${proxy.port}`],
    ]) {
      const { exit, status } = await curl(...args, '-o', file, url)
      assert.equal([exit, status], [0, 200], args.join(' '))
      assert.is(sha256(await Bun.file(file).bytes()), sha256(content(5_000_000)), args.join(' '))
    }
  })

  test('curl sends 5 MB through the HTTP proxy, with a length and in chunks', async ({ proxy, web }) => {
    const bytes = content(5_000_000)
    const file = join(proxy.folder, 'send')
    await writeFile(file, bytes)
    for (const header of ['Content-Length: 5000000', 'Transfer-Encoding: chunked']) {
      const { exit, body } = await curl(
        ...['-x', `http://127.0.0.1:${proxy.port}`, '-H', header, '-H', 'Expect: 100-continue', '-T', file],
        `http://127.0.0.1:${web.port}/`,
      )
      assert.equal([exit, body], [0, sha256(bytes)], header)
    }
  })

  test('curl fetches several URLs over one connection to the proxy', async ({ proxy, web }) => {
    const urls = Array.from({ length: 5 }, (_, i) => `http://127.0.0.1:${web.port}/bytes/${i + 1}`)
    const told = ['-x', `http://127.0.0.1:${proxy.port}`, '-w', '%{num_connects} ']
    const { exit, body } = await curl(...told, ...urls.flatMap(url => ['-o', '/dev/null', url]))
    assert.equal([exit, body], [0, '1 0 0 0 0'])
  })

  test('curl speaks TLS to the server through CONNECT and through SOCKS5', async ({ proxy, securePort }) => {
    for (const scheme of ['http', 'socks5h']) {
      const { exit, body } = await curl(
        ...['-k', '-x', `${scheme}://127.0.0.1:${proxy.port}`],
        `https://localhost:${securePort}/path`,
      )
      assert.equal([exit, body], [0, 'secure GET /path'], scheme)
    }
  })

  test('curl is told what cannot be reached', async ({ proxy }) => {
    const through = ['-x', `http://127.0.0.1:${proxy.port}`]
    const refused = await curl(...through, 'http://127.0.0.1:1/')
    assert.equal([refused.exit, refused.status], [0, 502])
    assert.match(refused.body, '127.0.0.1:1 refused the connection')
    assert.is(
      (await curl(...through, '-p', 'http://127.0.0.1:1/')).exit,
      56,
      'CONNECT was answered with an error',
    )
    assert.is((await curl(...through, 'http://nowhere.invalid/')).status, 502)
  })
}

test("Node's fetch goes through the proxy that its environment names", async ({ proxy, web, securePort }) => {
  const script = `const texts = []
    for (const url of process.argv.slice(1)) texts.push(await (await fetch(url)).text())
    console.log(JSON.stringify(texts.map(text => text.length > 100 ? text.length : text)))`
  const address = `http://127.0.0.1:${proxy.port}`
  const child = Bun.spawn(
    [
      node,
      '--input-type=module',
      '-e',
      script,
      `http://127.0.0.1:${web.port}/bytes/100000`,
      `https://localhost:${securePort}/x`,
    ],
    {
      env: {
        NODE_USE_ENV_PROXY: '1',
        NODE_TLS_REJECT_UNAUTHORIZED: '0',
        NODE_NO_WARNINGS: '1',
        HTTP_PROXY: address,
        HTTPS_PROXY: address,
      },
      stdout: 'pipe',
    },
  )
  const before = proxy.told('connection.opened').length
  const [text, isBytes] = JSON.parse(await child.stdout.text()).reverse()
  assert.is(text, 'secure GET /x')
  assert.ok(isBytes > 10_000)
  assert.ok(proxy.told('connection.opened').length >= before + 2)
})

test("Bun's fetch goes through the proxy that it is given", async ({ proxy, web }) => {
  const response = await fetch(`http://127.0.0.1:${web.port}/bytes/100000`, {
    proxy: `http://127.0.0.1:${proxy.port}`,
  })
  assert.is(sha256(await response.bytes()), sha256(content(100_000)))
})

test('a WebSocket goes through CONNECT', async ({ proxy, web }) => {
  const socket = new WebSocket(`ws://127.0.0.1:${web.port}/echo`, {
    proxy: `http://127.0.0.1:${proxy.port}`,
  })
  const echoed = new Promise(resolve => {
    socket.onmessage = ({ data }) => resolve(data)
  })
  socket.onopen = () => socket.send('across')
  assert.is(await echoed, 'across')
  socket.close()
})

test('when the clients are gone every connection has been closed', async ({ proxy }) => {
  // Bun's own fetch keeps its connection to the proxy open for a while.
  const open = () => proxy.told('connection.opened').length - proxy.told('connection.closed').length
  await until(() => open() <= 1, 'the connections to be closed')
})

test('says of each listener where it is and what it speaks', async ({ proxy, web }) => {
  const [{ host, port, listeners }] = proxy.told('proxy.ready') as [Told<'proxy.ready'>]
  assert.equal(
    listeners.map(({ scheme, host }) => [scheme, host]),
    [
      ['mixed', '127.0.0.1'],
      ['http', '127.0.0.1'],
    ],
  )
  assert.equal([host, port], ['127.0.0.1', listeners[0]!.port])
  const response = await fetch(`http://127.0.0.1:${web.port}/bytes/3`, {
    proxy: `http://127.0.0.1:${listeners[1]!.port}`,
  })
  assert.is((await response.bytes()).length, 3)
})

test.run()
