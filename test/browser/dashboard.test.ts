import type { Browser, Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkAllLooks } from '../support/accessibility.ts'
import { startChromium } from '../support/chromium.ts'
import { freePort } from '../support/free-port.ts'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'
import { fetchBytes, type Origin, startOrigin } from '../support/origin.ts'
import { patient } from '../support/patience.ts'
import { SocksError, socksConnect } from '../support/socks-client.ts'

interface Context {
  browser: Browser
  page: Page
  origin: Origin
  proxy: LocalProxy
  url: string
  /** What the browser asked for, and what it complained of. */
  requests: string[]
  complaints: string[]
}

const test = suite<Context>('the dashboard in a browser, with traffic through a running fleet')

const args = (port: string) => ['--local', '--allow-private', '--verbose', '--dashboard-port', port]
/** What to wait for comes with the next update, and an exit within its launch. Milliseconds. */
const limitMs = patient(30_000)

test.before(async context => {
  const browser = await startChromium()
  if (!browser) process.exit(0)
  context.browser = browser
  context.origin = await startOrigin()
  // The next proxy is to have the same, which nobody takes meanwhile.
  context.proxy = await startProxy({ args: args(String(await freePort())) })
  context.url = (await context.proxy.event('dashboard.ready')).url
  context.requests = []
  context.complaints = []
  context.page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  context.page.setDefaultTimeout(limitMs)
  context.page.on('request', request => context.requests.push(request.url()))
  context.page.on('console', message => message.type() === 'error' && context.complaints.push(message.text()))
  context.page.on('pageerror', error => context.complaints.push(error.message))
  await context.page.goto(context.url)
  await context.page.getByRole('status').getByText('live').waitFor()
})

test.after(async ({ browser, proxy, origin }) => {
  await browser.close()
  await proxy.close()
  origin.close()
})

/** The cells of a table's rows, by the head of their column. */
async function rowsOf(page: Page, caption: string): Promise<Record<string, string>[]> {
  const table = page.getByRole('table', { name: caption })
  const heads = (await table.locator('thead th').allTextContents()).map(head => head.trim())
  const rows = await table.locator('tbody tr').all()
  return Promise.all(
    rows.map(async row => {
      const cells = await row.locator('th, td').allTextContents()
      return Object.fromEntries(heads.map((head, i) => [head, cells[i]!.trim()]))
    }),
  )
}

const destinations = 'Destinations by registered domain'
const connections = 'Connections, open and recent'
const units: Record<string, number> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 }

/** The bytes of a text such as `12.3 MB so far`. */
function bytesIn(text: string | undefined): number {
  const [, number, unit] = /([\d.]+) ([kMG]?B)/.exec(text ?? '') ?? []
  return Number(number) * units[unit!]!
}

function near(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= expected / 100, `${what} is ${actual}, not ${expected}`)
}

test('every panel shows the bytes that went through, to one in a hundred', async ({
  page,
  proxy,
  origin,
}) => {
  const sent = { '127.0.0.1': 5_000_000, localhost: 3_000_000 }
  for (const [host, bytes] of Object.entries(sent)) {
    const { received } = await fetchBytes({ proxy: proxy.port, origin, host, bytes })
    assert.is(received, bytes)
  }
  const total = sent['127.0.0.1'] + sent.localhost
  const closed = page.getByRole('table', { name: connections }).locator('tbody tr.ended')
  await closed.nth(1).waitFor()

  near(
    bytesIn((await page.locator('.figures div', { hasText: 'Down' }).textContent()) ?? ''),
    total,
    'the sum',
  )
  near(bytesIn((await page.locator('.exit [data-figure="Down"]').textContent()) ?? ''), total, 'the exit')
  for (const [host, bytes] of Object.entries(sent)) {
    const destination = (await rowsOf(page, destinations)).find(row => row.Domain === host)
    near(bytesIn(destination?.Down), bytes, `destination ${host}`)
    assert.is(destination?.Connections, '1')
    const connection = (await rowsOf(page, connections)).find(row => row.Target === `${host}:${origin.port}`)
    near(bytesIn(connection?.Down), bytes, `connection to ${host}`)
    assert.is(connection?.State, 'complete')
  }
  near(
    bytesIn((await rowsOf(page, 'Cost by item')).find(row => row.Item === 'Data out')?.Amount),
    total * 1.05,
    'data out',
  )
})

test('the charts follow a download while it runs, and its connection is shown as open', async ({
  page,
  proxy,
  origin,
}) => {
  const rate = 2_000_000
  const download = fetchBytes({ proxy: proxy.port, origin, bytes: 10 * rate, rate })
  const throughput = page.getByRole('img', { name: /^Throughput over time/ })
  await throughput.locator('canvas').waitFor()
  // A tenth more or less is what a second of somebody else's scheduling makes.
  await page.getByRole('img', { name: /Down: 1[567]\.\d Mbit/ }).waitFor()
  await page.getByRole('table', { name: connections }).locator('tbody tr.open').waitFor()
  await page.getByRole('img', { name: 'Connections over time. Open: 1' }).waitFor()
  await page.getByRole('img', { name: 'Round trip in the last minute' }).waitFor()
  await page.getByRole('img', { name: /^Round-trip time over time. local-1 127.0.0.1: / }).waitFor()
  await download
})

test('a launch is told step by step', async ({ page, proxy }) => {
  const [first] = await page.locator('.waterfall').all()
  const steps = await first!.locator('tbody th').allTextContents()
  // A function that runs before S3 has said that the offer is there was not waited for.
  const { functionStartMs = 0 } = await proxy.event('exit.step', ({ step }) => step === 'answer')
  const start = functionStartMs > 0 ? ['Function start'] : []
  // What was in no step is told where it is five milliseconds or more, as on a busy machine.
  const between = steps.at(-1) === 'Between' ? ['Between'] : []
  assert.equal(steps, ['STUN', 'Offer', ...start, 'Answer', 'Punch', 'QUIC', 'Hello', ...between])
})

test('a refused connection is shown with the reason, and with what its client was told', async ({
  page,
  proxy,
}) => {
  const closed = await startOrigin()
  closed.close()
  const refusal = await socksConnect({ proxy: proxy.port, host: '127.0.0.1', port: closed.port }).catch(
    error => error,
  )
  assert.instance(refusal, SocksError)
  const { status } = await fetch(`http://127.0.0.1:${closed.port}/`, {
    proxy: `http://127.0.0.1:${proxy.port}`,
  })
  for (const told of ['SOCKS5 reply 5', `HTTP ${status}`])
    await page
      .getByRole('table', { name: connections })
      .getByText(`refused (${told})the target refused the connection`)
      .waitFor()
})

test('what a client asks for is shown as text, whatever it looks like', async ({ page, proxy }) => {
  const host = '<img/src=x/onerror=document.title=1><b>bold</b>'
  await socksConnect({ proxy: proxy.port, host, port: 1 }).catch(error => error)
  await page.getByRole('table', { name: connections }).getByText(`${host}:1`).waitFor()
  assert.is(await page.locator('main :is(img:not([alt]), b:text("bold"))').count(), 0)
  assert.is(await page.title(), 'lambda-nat-proxy')
})

test('connections are sorted by a press on a head, and the other way round by the next', async ({ page }) => {
  const head = page.getByRole('table', { name: connections }).getByRole('button', { name: 'Down' })
  const sorted = async () => (await rowsOf(page, connections)).map(row => bytesIn(row.Down))
  await head.click()
  const down = await sorted()
  assert.ok(down.length >= 4)
  assert.equal(
    down,
    [...down].sort((a, b) => b - a),
  )
  await head.click()
  assert.equal(await sorted(), [...down].reverse())
})

test('connections are filtered by what is typed, and by whether they are open', async ({ page }) => {
  const targets = async () => (await rowsOf(page, connections)).map(row => row.Target!)
  await page.getByRole('searchbox').fill('LOCALHOST')
  const found = await targets()
  assert.is(found.length, 1)
  assert.match(found[0]!, 'localhost')
  await page.getByRole('searchbox').fill('no such thing')
  await page.getByText('No connection fits the filter.').waitFor()
  await page.getByRole('searchbox').fill('')
  await page.getByRole('combobox').selectOption('open')
  await page.getByText('No connection fits the filter.').waitFor()
  await page.getByRole('combobox').selectOption('all')
})

test('a thousand connections at once are counted, and no more rows are drawn than a browser bears', async ({
  page,
  proxy,
  origin,
}) => {
  const fetched = Array.from({ length: 1_000 }, () => fetchBytes({ proxy: proxy.port, origin, bytes: 1_000 }))
  for (const { received } of await Promise.all(fetched)) assert.is(received, 1_000)
  await page.getByText(/… and \d+ more: sort or filter to see them/).waitFor()
  assert.is(await page.getByRole('table', { name: connections }).locator('tbody tr').count(), 100)
  await page
    .locator('.figures div', { hasText: 'Connections' })
    .getByText(/^1\u202f\d\d\d so far, 3 refused$/)
    .waitFor()
})

test('there is nothing for axe-core to complain of, light and dark, wide and narrow', async ({ page }) => {
  await checkAllLooks(page, async width => {
    const heads = await page.locator('h2').allTextContents()
    const isFirst = heads.indexOf('Connections') < heads.indexOf('Traffic')
    assert.is(isFirst, width === 390, 'where there is little room, connections are before the charts')
  })
  await page.setViewportSize({ width: 1280, height: 900 })
  await page.emulateMedia({ colorScheme: 'light' })
})

test('an exit whose function is killed turns red, and its replacement appears', async ({ page, proxy }) => {
  const active = page.locator('.exit[data-phase="active"][data-silent="false"]')
  const session = (await active.getAttribute('data-session'))!
  process.kill(await proxy.processOf(session), 'SIGKILL')
  const killedAt = performance.now()
  await page.locator(`.exit.bad[data-session="${session}"]`).getByText('silent', { exact: true }).waitFor()
  const red = performance.now() - killedAt
  await page
    .locator(`.exit[data-phase="active"][data-silent="false"]:not([data-session="${session}"])`)
    .waitFor()
  const replaced = performance.now() - killedAt
  console.log(
    `figure: a killed exit is red on the page after ${seconds(red)} s, its replacement is there after ${seconds(replaced)} s`,
  )
})

test('a button replaces an exit, and another all of them', async ({ page }) => {
  const active = page.locator('.exit[data-phase="active"][data-silent="false"]')
  for (const name of [/^Rotate exit/, 'Rotate all']) {
    const session = (await active.getAttribute('data-session'))!
    await page.getByRole('button', { name }).click()
    await page.locator(`.exit[data-phase="active"]:not([data-session="${session}"])`).waitFor()
    await page.locator(`.exit[data-phase="active"][data-session="${session}"]`).waitFor({ state: 'detached' })
    // It has nothing to drain, and is folded away.
    await page.locator(`.past .exit[data-session="${session}"]`).waitFor({ state: 'attached' })
    assert.ok(!(await page.locator(`.exit[data-session="${session}"]`).isVisible()))
    assert.match((await page.getByRole('button', { name }).getAttribute('title'))!, /open ones go on until/)
  }
})

test('it says when the proxy is gone, comes back with the next one, and its buttons work there', async context => {
  const { page, proxy, url } = context
  await proxy.close()
  await page.getByRole('status').getByText('Connection to the proxy lost').waitFor()
  context.complaints.length = 0
  context.proxy = await startProxy({ args: args(new URL(url).port) })
  await page.getByRole('status').getByText('live').waitFor()
  const active = page.locator('.exit[data-phase="active"]')
  const session = (await active.getAttribute('data-session'))!
  await page.getByRole('button', { name: 'Rotate all' }).click()
  await page.locator(`.exit[data-phase="active"]:not([data-session="${session}"])`).waitFor()
})

test('it asked for nothing from anywhere else, and the browser found nothing to complain of', ({
  requests,
  complaints,
  url,
}) => {
  assert.ok(requests.length > 0)
  for (const request of requests) assert.is(new URL(request).origin, new URL(url).origin, request)
  const lost = complaints.filter(complaint => !complaint.includes('ERR_CONNECTION_REFUSED'))
  assert.equal(lost, [])
})

const seconds = (ms: number) => (ms / 1000).toFixed(1)

test.run()
