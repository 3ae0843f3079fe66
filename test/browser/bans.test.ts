import type { Browser, Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RequestError } from '../../cli/client/fleet/requests.ts'
import { createEvents, type Events } from '../../cli/client/stats/events.ts'
import { createModel } from '../../cli/client/stats/model.ts'
import { type Dashboard, startDashboard } from '../../cli/dashboard/server.ts'
import { checkAllLooks } from '../support/accessibility.ts'
import { startChromium } from '../support/chromium.ts'
import { controlled } from '../support/controlled.ts'
import { comeUp } from '../support/dashboard-suite.ts'
import { patient } from '../support/patience.ts'

// The page and its server, over a fleet that only takes note: exits on this machine all have one address.

interface Context {
  browser: Browser
  page: Page
  events: Events
  dashboard: Dashboard
}

const test = suite<Context>('bans in a browser')

test.before(async context => {
  const browser = await startChromium()
  if (!browser) process.exit(0)
  const events = createEvents()
  const model = createModel(events)
  const control = controlled(model)
  const dashboard = startDashboard({
    host: '127.0.0.1',
    port: 0,
    model,
    events,
    apiToken: 'token',
    control: {
      ...control,
      fleet: () => ({
        ...control.fleet()!,
        ban(site) {
          if (site !== 'example.com')
            throw new RequestError(
              'E_SITE_NOT_SERVED',
              `no exit has served ${site} since the proxy started`,
              {
                hint: 'Sites are registered domains.',
              },
            )
          const banned = { site, session: 'a', address: '192.0.2.1', launching: true }
          events.emit({ type: 'site.banned', ...banned, forMs: 3_600_000 })
          return banned
        },
      }),
    },
  })
  Object.assign(context, { browser, events, dashboard, page: await browser.newPage() })
  context.page.setDefaultTimeout(patient(30_000))
  comeUp(context)
  await context.page.goto(`http://127.0.0.1:${dashboard.port}`)
  await context.page.getByRole('status').getByText('live').waitFor()
})

test.after(async ({ browser, dashboard }) => {
  await browser.close()
  dashboard.close()
})

test('a site is banned, and shown with the addresses until its ban is lifted', async ({ page, events }) => {
  await page.getByText('Ban an exit for a site').click()
  // What was connected to is suggested.
  connect(events, 'www.example.com:443')
  const field = page.getByRole('combobox', { name: 'Site' })
  await page.locator('datalist option[value="example.com"]').waitFor({ state: 'attached' })
  assert.is(await field.getAttribute('list'), await page.locator('datalist').getAttribute('id'))
  await field.fill('elsewhere.example')
  await page.getByRole('button', { name: 'Ban its exit' }).click()
  const alert = page.getByRole('alert')
  await alert
    .getByText(/: no exit has served elsewhere\.example .*\. Sites are registered domains\.$/)
    .waitFor()
  assert.is(await field.inputValue(), 'elsewhere.example')

  await field.fill('example.com')
  await page.keyboard.press('Enter')
  const row = page.getByRole('table', { name: 'Sites, and the exits that are banned' }).locator('tbody tr')
  await row.getByText('192.0.2.1').waitFor()
  assert.match((await row.textContent()) ?? '', /^example\.com192\.0\.2\.1\d+ (h|min)/)
  await page.getByText('Exits are banned for example.com').waitFor()
  await alert.waitFor({ state: 'detached' })
  assert.is(await field.inputValue(), '')
  await checkAllLooks(page)

  events.emit({ type: 'site.unbanned', site: 'example.com', address: '192.0.2.1' })
  await row.waitFor({ state: 'detached' })
})

/** A connection over the exit is opened and carries something. */
function connect(events: Events, target: string): void {
  events.emit({ type: 'connection.opened', connection: 1, outbound: 'tunnel', session: 'a', target, ms: 1 })
  const connections = [{ connection: 1, bytesUp: 1_000, bytesDown: 2_000 }]
  events.emit({ type: 'traffic.sampled', connections, paths: [] })
}

test.run()
