import { createServer, type Server } from 'node:http'
import * as assert from 'uvu/assert'
import { addressedNode } from '../support/addressed-node.ts'
import { makeHome } from '../support/command.ts'
import { functionZip } from '../support/function-zip.ts'
import { startLocalCloud } from '../support/local-cloud.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { type OriginContext, originSuite } from '../support/origin-suite.ts'
import { until } from '../support/until.ts'

const test = originSuite<OriginContext>('Bans')

/** A web server that refuses addresses, and says which one it is asked from. */
interface Site {
  url: string
  refused: Set<string>
  close(): void
}

/** Each loopback address that it listens on is a site of its own. */
async function startSite(host: string): Promise<Site> {
  const refused = new Set<string>()
  const server: Server = createServer((request, response) => {
    const from = request.socket.remoteAddress ?? ''
    response.statusCode = refused.has(from) ? 403 : 200
    response.end(from)
  })
  await new Promise<void>(resolve => server.listen(0, host, resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `http://${host}:${port}/`,
    refused,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function start(
  context: OriginContext,
  args: string[],
  env: Record<string, string> = {},
): Promise<LocalProxy> {
  const node = context.keep(await addressedNode())
  // The native engine binds its socket without Node, and so without the address.
  const cloud = { node: node.path, functionZip: functionZip('quiche') }
  const local = context.keep(await startLocalCloud(cloud))
  return context.keep(await local.proxy({ args, env }))
}

async function ask(proxy: LocalProxy, { url }: Site): Promise<{ status: number; from: string }> {
  const response = await fetch(url, { proxy: `http://127.0.0.1:${proxy.port}` })
  return { status: response.status, from: await response.text() }
}

test('a site that refuses an exit gets another within one launch, while another site keeps its own', async context => {
  const [one, other] = [await startSite('127.0.0.11'), await startSite('127.0.0.12')]
  context.keep(one)
  context.keep(other)
  const proxy = await start(context, ['--rotate-on', '403,429'])
  const first = await ask(proxy, one)
  assert.is(first.status, 200)
  assert.is((await ask(proxy, other)).from, first.from)
  assert.is(proxy.told('exit.launching').length, 1)

  one.refused.add(first.from)
  // The answer is the site's own: it is passed on.
  assert.is((await ask(proxy, one)).status, 403)
  const banned = await proxy.event('site.banned')
  assert.is(banned.address, first.from)
  assert.is(banned.launching, true)
  // The next one waits for the exit that is launched for it.
  const second = await ask(proxy, one)
  assert.is(second.status, 200)
  assert.is.not(second.from, first.from)
  assert.is((await ask(proxy, other)).from, first.from, 'the other site keeps its exit')
  assert.is(proxy.told('exit.launching').length, 2, 'within one launch')
  assert.is(proxy.told('exit.draining').length, 0)
})

test('a person bans an exit for one site, over the socket', async context => {
  const home = await makeHome()
  context.keep({ close: home.remove })
  home.environment.XDG_RUNTIME_DIR = home.folder
  const [one, other] = [await startSite('127.0.0.14'), await startSite('127.0.0.15')]
  context.keep(one)
  context.keep(other)
  const proxy = await start(context, [], { XDG_RUNTIME_DIR: home.folder })
  const { from } = await ask(proxy, one)
  assert.is((await ask(proxy, other)).from, from)
  const { code, said } = await home.run('ban', one.url)
  assert.is(code, 0, said)
  assert.match(said, `127.0.0.14 is no longer reached from ${from}. An exit is being launched for it.`)
  assert.is.not((await ask(proxy, one)).from, from)
  assert.is((await ask(proxy, other)).from, from)
  const again = await home.run('ban', 'https://127.0.0.15/', '--json')
  assert.equal(JSON.parse(again.stdout), {
    ...{ site: '127.0.0.15', session: proxy.told('exit.ready')[0]!.session, address: from },
    launching: false,
  })
  assert.is.not((await ask(proxy, other)).from, from)
  assert.is(proxy.told('exit.launching').length, 2)
})

test('answers that refuse every exit ban three of them, and no more', async context => {
  const site = context.keep(await startSite('127.0.0.13'))
  const proxy = await start(context, ['--rotate-on', '403'])
  for (let bans = 0; bans < 4; bans++) {
    const { from } = await ask(proxy, site)
    site.refused.add(from)
    assert.is((await ask(proxy, site)).status, 403)
    await until(
      () => proxy.told('site.banned').length + proxy.told('site.spared').length === bans + 1,
      'what came of the answer',
    )
  }
  assert.is(proxy.told('site.banned').length, 3)
  assert.is(proxy.told('site.spared')[0]?.status, 403)
  assert.is((await ask(proxy, site)).status, 403)
  // A function's process that is used again has its old address, and is no use.
  assert.is(new Set(proxy.told('exit.ready').map(({ address }) => address)).size, 4)
  assert.is(proxy.told('site.spared').length, 1, 'told once')
})

test.run()
