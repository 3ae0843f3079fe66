import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkAllLooks } from '../support/accessibility.ts'
import { startChromium } from '../support/chromium.ts'
import { type Home, makeHome } from '../support/command.ts'
import { type LocalCloud, startLocalCloud } from '../support/local-cloud.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { fetchBytes, type Origin, startOrigin } from '../support/origin.ts'
import { patient } from '../support/patience.ts'
import { socksConnect } from '../support/socks-client.ts'

interface Context {
  browser: Browser
  home: Home
  local: LocalCloud
  origin: Origin
  proxy: LocalProxy
  url: string
  page: Page
}

const test = suite<Context>('the dashboard in a browser, behind a login, with users, quotas and a budget')

const limitMs = patient(30_000)
const logins = 'alice:\n  password: x\n  quota: 1MB/month\nbob:\n  password: x\n'

async function open(browser: Browser, password: string): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ httpCredentials: { username: 'admin', password } })
  const page = await context.newPage()
  page.setDefaultTimeout(limitMs)
  return { context, page }
}

test.before(async context => {
  const browser = await startChromium()
  if (!browser) process.exit(0)
  context.browser = browser
  context.home = await makeHome()
  context.origin = await startOrigin()
  context.local = await startLocalCloud()
  const [users, admins] = ['logins.yaml', 'admins'].map(name => join(context.home.folder, name))
  await writeFile(users!, logins)
  await writeFile(admins!, 'admin:secret\n')
  context.proxy = await context.local.proxy({
    args: [
      ...['--auth-file', users!, '--dashboard-auth-file', admins!, '--dashboard-port', '0'],
      ...['--budget', '0.00001/day', '--budget-action', 'warn', '--verbose'],
    ],
  })
  context.url = (await context.proxy.event('dashboard.ready')).url
  context.page = (await open(browser, 'secret')).page
})
test.after(async ({ browser, proxy, local, origin, home }) => {
  await browser.close()
  await proxy.close()
  await local.close()
  origin.close()
  await home.remove()
})

test('a wrong password shows nothing, the right one everything, with its live stream', async ({
  browser,
  page,
  url,
}) => {
  const wrong = await open(browser, 'wrong')
  const response = await wrong.page.goto(url)
  assert.is(response?.status(), 401)
  assert.not.match((await wrong.page.textContent('body')) ?? '', 'Fleet')
  await wrong.context.close()
  await page.goto(url)
  await page.getByRole('status').getByText('live').waitFor()
})

test('users, their quotas and the budget are shown', async ({ page, proxy, origin }) => {
  assert.ok((await fetchBytes({ proxy: proxy.port, origin, user: 'bob', bytes: 2_000_000 })).complete)
  assert.not((await fetchBytes({ proxy: proxy.port, origin, user: 'alice', bytes: 50_000_000 })).complete)
  await socksConnect({ proxy: proxy.port, host: '127.0.0.1', port: origin.port, user: 'alice' }).catch(
    () => {},
  )
  const users = page.getByRole('table', { name: 'Users by login' })
  const row = (name: string) => users.locator('tbody tr', { hasText: name })
  await row('bob').getByText('2.00 MB').waitFor()
  await row('alice').getByText('of 1.00 MB a month').waitFor()
  const connections = page.getByRole('table', { name: 'Connections, open and recent' })
  await connections.getByText('the user’s quota was used up').first().waitFor()
  await connections.getByText('the quota of the login alice is used up').first().waitFor()
  // Filtered by a user's name.
  await page.getByPlaceholder('target, user, outbound or state').fill('bob')
  await connections.locator('tbody tr').nth(0).waitFor()
  assert.equal(await connections.locator('tbody tr td:nth-child(3)').allTextContents(), ['bob'])
  await page.getByPlaceholder('target, user, outbound or state').fill('')
  await page.locator('[data-budget="spent"]').getByText('It is used up; exits go on.').waitFor()
})

test('there is nothing for axe-core to complain of, light and dark, wide and narrow', async ({ page }) => {
  await checkAllLooks(page)
})

test.run()
