import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { checkAccessible } from '../support/accessibility.ts'
import { startChromium } from '../support/chromium.ts'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'
import { fetchBytes } from '../support/origin.ts'
import { type OriginContext, originSuite } from '../support/origin-suite.ts'
import { patient } from '../support/patience.ts'

interface Context extends OriginContext {
  browser: Browser
  proxy: LocalProxy
}

const test = originSuite<Context>('the dashboard while the fleet sleeps')

test.before.each(async context => {
  const browser = await startChromium()
  if (!browser) process.exit(0)
  context.browser = context.keep(browser)
  const args = ['--local', '--allow-private', '--idle', '2s', '--dashboard-port', '0']
  context.proxy = context.keep(await startProxy({ args }))
})

test('it says that no exit runs, and how long the wake took; addresses are shown with when and where', async ({
  browser,
  proxy,
  origin,
}) => {
  const { url } = await proxy.event('dashboard.ready')
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  page.setDefaultTimeout(patient(30_000))
  await page.goto(url)
  const glance = page.getByLabel('At a glance')
  await glance.getByText('asleep').waitFor()
  await page.getByText(/^Asleep for .+: no exit runs\. The next connection starts one\.$/).waitFor()
  await checkAccessible(page, 'asleep')

  const { complete } = await fetchBytes({ origin, proxy: proxy.port, bytes: 10_000 })
  assert.ok(complete)
  await glance.getByText(/woken once, last in \d/).waitFor()
  await page.getByText(/^1 distinct address seen\.$/).waitFor()
  const row = page.getByRole('table', { name: 'Public addresses of exits' }).locator('tbody tr')
  const cells = await row.locator('td').allTextContents()
  assert.equal(cells.slice(0, 3), [proxy.told('exit.ready')[0]!.address, 'local-1', '2'])
})

test.run()
