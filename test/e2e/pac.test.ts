import { createContext, runInContext } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { curl, haveCurl } from '../support/curl.ts'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'

interface Context {
  proxy: LocalProxy
}

const test = suite<Context>('PAC file, real clients')

test.before(async context => {
  context.proxy = await startProxy({
    args: ['--local', '--bypass', '*.example.com,10.0.0.0/8', '--auth', 'alice:secret'],
  })
})
test.after(({ proxy }) => proxy.close())

if (haveCurl()) {
  test('it is served to who asks the port for it, without a login, and says what the rules say', async ({
    proxy,
  }) => {
    const { status, body } = await curl(`http://127.0.0.1:${proxy.port}/proxy.pac`)
    assert.is(status, 200)
    const context = createContext({})
    runInContext(body, context)
    const find = (host: string) => runInContext(`FindProxyForURL("https://${host}/", "${host}")`, context)
    assert.is(find('www.example.com'), 'DIRECT')
    assert.is(find('10.1.2.3'), 'DIRECT')
    assert.is(find('example.org'), `PROXY 127.0.0.1:${proxy.port}`)
    assert.not.match(body, 'secret')
  })

  test('it names the proxy as this machine knows it, and shows nothing under another name', async ({
    proxy,
  }) => {
    const url = `http://127.0.0.1:${proxy.port}/proxy.pac`
    const named = await curl('-H', 'Host: localhost:1080', url)
    assert.match(named.body, 'PROXY localhost:1080')
    for (const host of ['proxy.example:1080', 'x";alert(1)//', 'a b', 'a;b', '192.0.2.1']) {
      const { status, body } = await curl('-H', `Host: ${host}`, url)
      assert.is(status, 403, host)
      assert.not.match(body, 'FindProxyForURL')
    }
  })

  test('it can be read, and nothing else', async ({ proxy }) => {
    const url = `http://127.0.0.1:${proxy.port}/proxy.pac`
    assert.is((await curl('-I', url)).status, 200)
    assert.is((await curl('-X', 'DELETE', url)).status, 405)
    assert.is((await curl(`http://127.0.0.1:${proxy.port}/other`)).status, 400)
  })
}

test.run()
