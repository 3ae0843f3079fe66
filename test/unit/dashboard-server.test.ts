import { request } from 'node:http'
import * as assert from 'uvu/assert'
import { LoginTable } from '../../cli/client/accounts/access.ts'
import { makeLogin } from '../../cli/client/accounts/login.ts'
import { createEvents } from '../../cli/client/stats/events.ts'
import { createModel } from '../../cli/client/stats/model.ts'
import { startDashboard } from '../../cli/dashboard/server.ts'
import { defaultDashboardPort } from '../../cli/input/dashboard-port.ts'
import { ListenError } from '../../cli/input/listen-error.ts'
import { inWords } from '../../cli/output/advice.ts'
import { controlled } from '../support/controlled.ts'
import { apiToken, dashboardSuite, follow, start } from '../support/dashboard-suite.ts'
import { until } from '../support/until.ts'

const test = dashboardSuite("the dashboard's server")
const access = new LoginTable([makeLogin('test', 'admin', 'secret')])

test('serves the page with its files, none of them written into it or from elsewhere', async ({ url }) => {
  const response = await fetch(`${url}/`)
  assert.is(response.status, 200)
  const page = await response.text()
  assert.not.match(page, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:\/\//)
  const links = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link!)
  assert.is(links.length, 3)
  for (const link of links) {
    const { status, headers } = await fetch(new URL(link, url))
    assert.is(status, 200, link)
    assert.match(headers.get('content-type')!, /^(text\/(javascript|css)|image\/svg)/)
  }
})

test('sends every answer with a content security policy and is kept by no cache', async ({ url }) => {
  for (const path of ['/', '/api/state', '/metrics', '/healthz', '/nothing', '/../../etc/passwd']) {
    const { headers } = await fetch(url + path)
    const policy = headers.get('content-security-policy')!
    assert.match(policy, "default-src 'none'")
    assert.not.match(policy, 'unsafe')
    assert.match(policy, "frame-ancestors 'none'")
    assert.is(headers.get('cache-control'), 'no-store', path)
    assert.is(headers.get('access-control-allow-origin'), null)
  }
})

test("answers the API to no other site's page, which could take up all the streams", async ({
  dashboard,
  url,
}) => {
  const own = `http://127.0.0.1:${dashboard.port}`
  const foreign: Record<string, string>[] = [
    { 'sec-fetch-site': 'cross-site', origin: 'http://evil.example' },
    { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:9' },
    { 'sec-fetch-site': 'cross-site' },
    { origin: 'http://evil.example' },
    { origin: 'null' },
  ]
  for (const headers of foreign) {
    for (const path of ['/api/state', '/api/stream'])
      assert.is((await fetch(url + path, { headers })).status, 403, path)
    assert.is((await fetch(`${url}/api/rotate`, { method: 'POST', headers })).status, 403)
    // A link to the page may be anywhere.
    assert.is((await fetch(url, { headers })).status, 200)
  }
  const welcome: Record<string, string>[] = [
    {},
    { origin: own },
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
  ]
  for (const headers of welcome) assert.is((await fetch(`${url}/api/state`, { headers })).status, 200)
})

test('answers nothing to a host name of somebody else', async ({ dashboard }) => {
  for (const path of ['/', '/api/state', '/api/stream', '/metrics', '/healthz', '/nothing']) {
    const status = await new Promise(resolve =>
      request(
        { port: dashboard.port, host: '127.0.0.1', path, headers: { host: 'evil.example' } },
        response => {
          response.resume()
          resolve(response.statusCode)
        },
      ).end(),
    )
    assert.is(status, 403, path)
  }
})

test('an address that is not here is told with the option that says it', ({ events }) => {
  const model = createModel(events)
  const control = controlled(model)
  assert.throws(
    () => startDashboard({ host: '192.0.2.1', model, events, control, apiToken, access }),
    (error: unknown) => error instanceof ListenError && inWords(error).join().includes('--dashboard-host'),
  )
})

test('what is closed, or never came to listen, follows the events no longer', async () => {
  const events = createEvents()
  const { subscribe } = events
  let following = 0
  events.subscribe = listener => {
    following++
    const unsubscribe = subscribe(listener)
    return () => {
      following--
      return unsubscribe()
    }
  }
  const model = createModel(events)
  const before = following
  const options = { host: '127.0.0.1', model, events, control: controlled(model), apiToken }
  const dashboard = startDashboard({ ...options, port: 0 })
  assert.throws(() => startDashboard({ ...options, port: dashboard.port }))
  const url = `http://127.0.0.1:${dashboard.port}/api/stream`
  // A page that is left before its first word, and one that stays.
  const left = Array.from({ length: 50 }, (_, i) => {
    const leaving = new AbortController()
    setTimeout(() => leaving.abort(), i % 5)
    return fetch(url, { signal: leaving.signal }).catch(() => undefined)
  })
  await Promise.all(left)
  const told = follow(url.replace('/api/stream', ''))
  await told.next()
  await until(() => following === before + 2, 'the pages that left to be forgotten')
  dashboard.close()
  await until(() => following === before, 'everybody to have left')
  await told.return(undefined).catch(() => {})
})

test('moves on from the default port when that is taken, and says so', ({ told, events }) => {
  const first = start(events, [])
  const second = start(events, [])
  second.announce()
  try {
    assert.not.equal(second.port, first.port)
    const { busy, url } = told.findLast(event => event.type === 'dashboard.ready')!
    assert.is(busy, defaultDashboardPort)
    assert.is(url, `http://127.0.0.1:${second.port}/`)
  } finally {
    first.close()
    second.close()
  }
})

test('says which option to change when a port that was asked for is taken, or an address is not here', ({
  dashboard,
  events,
}) => {
  assert.throws(
    () => start(events, [], dashboard.port),
    (error: unknown) => error instanceof ListenError && /--dashboard-port/.test(inWords(error).join()),
  )
  const model = createModel(events)
  assert.throws(
    () =>
      startDashboard({
        ...{ host: '192.0.2.1', port: 0, model, events, control: controlled(model), apiToken, access },
      }),
    (error: unknown) => error instanceof ListenError && /192\.0\.2\.1/.test(error.message),
  )
})

test.run()
