import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startChromium } from '../support/chromium.ts'
import { clientRows } from '../support/client-rows.ts'
import { type ClientWorld, clientWorld, login, name } from '../support/client-world.ts'
import { need } from '../support/need.ts'
import { patient } from '../support/patience.ts'

const test = suite<ClientWorld>('Chromium')
const { works, complete } = clientRows(test)

const pixel = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')
const images = 30

/** A page whose title says what of it has come, when all has. */
const page = `<!doctype html><html><head><link rel="icon" href="data:,"><title>loading</title>
<script src="/first.js"></script><script src="/second.js"></script></head><body>
${Array.from({ length: images }, (_, i) => `<img src="/${i}.gif">`).join('')}
<script>
  const echoed = new Promise((resolve, reject) => {
    const socket = new WebSocket(location.origin.replace('http', 'ws') + '/echo')
    socket.onopen = () => socket.send('hello '.repeat(20000))
    socket.onmessage = ({ data }) => resolve(data.length)
    socket.onerror = () => reject(new Error('no WebSocket'))
  })
  const loaded = new Promise(resolve => addEventListener('load', resolve))
  Promise.all([echoed, loaded]).then(([length]) => {
    const shown = [...document.images].filter(image => image.naturalWidth === 1).length
    document.title = ['done', first, second, shown, length].join(' ')
  }, error => { document.title = 'failed: ' + error.message })
</script></body></html>`

function serve(request: Request): Response {
  const { pathname } = new URL(request.url)
  if (pathname === '/') return new Response(page, { headers: { 'content-type': 'text/html' } })
  const script = /^\/(first|second)\.js$/.exec(pathname)
  if (script)
    return new Response(`var ${script[1]} = '${script[1]}'`, {
      headers: { 'content-type': 'text/javascript' },
    })
  if (pathname.endsWith('.gif')) return new Response(pixel, { headers: { 'content-type': 'image/gif' } })
  return new Response(null, { status: 404 })
}

test.before(async context => {
  Object.assign(context, await clientWorld(serve))
})
test.after(context => context.close())

const settings = {
  'SOCKS5, names at the exit (`--proxy-server=socks5://`)': port => [
    `--proxy-server=socks5://127.0.0.1:${port}`,
  ],
  'HTTP proxy (`--proxy-server=http://`)': port => [`--proxy-server=http://127.0.0.1:${port}`],
  'PAC file (`--proxy-pac-url`)': port => [`--proxy-pac-url=http://127.0.0.1:${port}/proxy.pac`],
} satisfies Record<string, (port: number) => string[]>

for (const [mode, argsFor] of Object.entries(settings))
  works('Chromium', mode, async context => {
    const { proxy, http, https } = context
    const browser = await startChromium({ args: argsFor(proxy.port) })
    assert.ok(browser)
    try {
      const opened = await browser.newContext({ ignoreHTTPSErrors: true })
      for (const { url, paths } of [http, https]) {
        paths.length = 0
        const tab = await opened.newPage()
        await tab.goto(url, { timeout: patient(30_000) })
        await tab.waitForFunction("document.title !== 'loading'", undefined, { timeout: patient(30_000) })
        assert.is(await tab.title(), `done first second ${images} ${6 * 20_000}`)
        assert.is(paths.length, 1 + 2 + images + 1)
        await tab.close()
      }
    } finally {
      await browser.close()
    }
    assert.ok(context.dns.queries.includes(`${name} A`))
  })

works('Playwright', 'HTTP proxy with a login (`proxy` of `newContext`)', async context => {
  const browser = await startChromium()
  assert.ok(browser)
  try {
    const { user, password } = login
    const proxy = { server: `http://127.0.0.1:${context.lockedPort}`, username: user, password }
    const opened = await browser.newContext({ ignoreHTTPSErrors: true, proxy })
    for (const { url } of [context.http, context.https]) {
      const tab = await opened.newPage()
      const answer = await tab.goto(`${url}/first.js`, { timeout: patient(30_000) })
      assert.is(await answer!.text(), "var first = 'first'")
      await tab.close()
    }
  } finally {
    await browser.close()
  }
})

complete()

if (need(['chromium', 'fonts-dejavu-core'], ['chromium'])) test.run()
