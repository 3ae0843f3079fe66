import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { clientRows } from '../support/client-rows.ts'
import { type ClientWorld, clientWorld, name } from '../support/client-world.ts'
import { startFirefox } from '../support/firefox.ts'
import { need } from '../support/need.ts'

const test = suite<ClientWorld>('Firefox')
const { works, complete } = clientRows(test)
const text = 'what the origin says'
const host = '127.0.0.1'

test.before(async context => {
  Object.assign(context, await clientWorld(() => new Response(text)))
})
test.after(context => context.close())

const settings = {
  'SOCKS v5, names at the exit ("Proxy DNS")': port => ({
    'network.proxy.type': 1,
    'network.proxy.socks': host,
    'network.proxy.socks_port': port,
    'network.proxy.socks_version': 5,
    'network.proxy.socks_remote_dns': true,
  }),
  'HTTP proxy, for HTTPS too': port => ({
    'network.proxy.type': 1,
    'network.proxy.http': host,
    'network.proxy.http_port': port,
    'network.proxy.ssl': host,
    'network.proxy.ssl_port': port,
  }),
  'PAC file': port => ({
    'network.proxy.type': 2,
    'network.proxy.autoconfig_url': `http://${host}:${port}/proxy.pac`,
  }),
} satisfies Record<string, (port: number) => Record<string, string | number | boolean>>

for (const [mode, preferences] of Object.entries(settings))
  works('Firefox', mode, async context => {
    const browser = await startFirefox(preferences(context.proxy.port))
    try {
      for (const { url } of [context.http, context.https]) assert.is(await browser.textOf(url), text)
    } finally {
      await browser.close()
    }
    assert.ok(context.dns.queries.includes(`${name} A`))
  })

complete()

if (need(['firefox-esr', 'fonts-dejavu-core'], ['firefox-esr'])) test.run()
