import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { curl, haveCurl } from '../support/curl.ts'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'
import { type Target, webServer } from '../support/servers.ts'

interface Context {
  proxy: LocalProxy
  web: Target
  blocked: Target
}

const test = suite<Context>('routes, real clients')

test.before(async context => {
  context.web = webServer()
  context.blocked = webServer()
  // Without --allow-private the exit refuses loopback: what goes there has gone direct.
  context.proxy = await startProxy({
    args: [
      '--local',
      '--verbose',
      '--rules',
      `block *:${context.blocked.port}`,
      '--bypass',
      'localhost,127.0.0.0/9',
    ],
  })
})
test.after(async ({ proxy, web, blocked }) => {
  await proxy.close()
  await web.close()
  await blocked.close()
})

if (haveCurl())
  for (const scheme of ['socks5h', 'http']) {
    const ask = ({ port }: LocalProxy, url: string) => curl('-x', `${scheme}://127.0.0.1:${port}`, url)

    test(`by ${scheme}, names and networks of the bypass go direct`, async ({ proxy, web }) => {
      for (const host of ['localhost', '127.0.0.1']) {
        const before = proxy.told('connection.opened').length
        const { exit, status } = await ask(proxy, `http://${host}:${web.port}/bytes/3`)
        assert.equal([exit, status], [0, 200], host)
        const [opened] = proxy.told('connection.opened').slice(before)
        assert.equal([opened?.outbound, opened?.session], ['direct', undefined])
      }
    })

    test(`by ${scheme}, what a rule blocks is refused, and the first rule counts`, async ({
      proxy,
      blocked,
    }) => {
      const { exit, status, body } = await ask(proxy, `http://localhost:${blocked.port}/bytes/3`)
      if (scheme === 'http') {
        assert.is(status, 403)
        assert.match(body, 'is blocked by a rule')
      } else assert.is(exit, 97)
      const refused = proxy.told('connection.refused').at(-1)
      assert.equal(
        [refused?.target, refused?.reply, refused?.code],
        [`localhost:${blocked.port}`, 2, 'E_TARGET_BLOCKED'],
      )
    })

    test(`by ${scheme}, everything else goes through the tunnel, where the exit has its own say`, async ({
      proxy,
      web,
    }) => {
      const { exit, status, body } = await ask(proxy, `http://127.200.0.1:${web.port}/bytes/3`)
      if (scheme === 'http') {
        assert.is(status, 403)
        assert.match(
          body,
          /127\.200\.0\.1:\d+ is a private address, which this exit refuses\. .*--allow-private/,
        )
      } else assert.is(exit, 97)
      const refused = proxy.told('connection.refused').at(-1)
      assert.equal([refused?.reply, refused?.code], [2, 'E_TARGET_PRIVATE'])
    })
  }

test.run()
