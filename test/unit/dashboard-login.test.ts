import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LoginTable } from '../../cli/client/accounts/access.ts'
import { makeLogin } from '../../cli/client/accounts/login.ts'
import { createEvents, type ProxyEvent } from '../../cli/client/stats/events.ts'
import { createModel } from '../../cli/client/stats/model.ts'
import { OpenDashboardError } from '../../cli/dashboard/login.ts'
import { type Dashboard, startDashboard } from '../../cli/dashboard/server.ts'
import { controlled } from '../support/controlled.ts'

const test = suite<{ dashboard: Dashboard; url: string; access: LoginTable; told: ProxyEvent[] }>(
  "the dashboard's login",
)
const apiToken = 'token-of-a-file'
const hash = await Bun.password.hash('secret', { algorithm: 'argon2id', memoryCost: 1024, timeCost: 1 })

function start(host: string, access?: LoginTable, told: ProxyEvent[] = []): Dashboard {
  const events = createEvents()
  events.subscribe(event => told.push(event))
  const model = createModel(events)
  return startDashboard({ host, port: 0, model, events, control: controlled(model), apiToken, access })
}

test.before.each(context => {
  context.told = []
  context.access = new LoginTable([makeLogin('test', 'admin', hash)])
  context.dashboard = start('127.0.0.1', context.access, context.told)
  context.url = `http://127.0.0.1:${context.dashboard.port}`
})
test.after.each(({ dashboard }) => dashboard.close())

const basic = (user: string, password: string) => ({ authorization: `Basic ${btoa(`${user}:${password}`)}` })
const paths = ['/', '/main.js', '/metrics', '/api/state', '/api/stream', '/nothing']

test('beyond loopback it does not start without a login', () => {
  assert.throws(
    () => start('0.0.0.0'),
    (error: unknown) => error instanceof OpenDashboardError,
  )
  assert.throws(
    () => start('::', new LoginTable([])),
    (error: unknown) => error instanceof OpenDashboardError,
  )
  start('0.0.0.0', new LoginTable([makeLogin('test', 'admin', hash)])).close()
  start('127.0.0.1').close()
})

test('nothing but the health check is answered without a login', async ({ url }) => {
  for (const path of paths) {
    const refused = await fetch(url + path)
    assert.is(refused.status, 401, path)
    assert.match(refused.headers.get('www-authenticate') ?? '', /^Basic realm=".+", charset="UTF-8"$/)
    assert.match(refused.headers.get('content-security-policy') ?? '', "default-src 'none'")
    assert.is(await refused.text(), 'This page needs a user name and password.\n')
  }
  assert.is((await fetch(`${url}/api/rotate`, { method: 'POST', body: '{"all":true}' })).status, 401)
  assert.is((await fetch(`${url}/healthz`)).status, 503)
})

test('with its login, or with the token of the API, it is', async ({ url, access, told }) => {
  const status = async (headers: Record<string, string>) =>
    (await fetch(`${url}/api/state`, { headers })).status
  assert.is(await status(basic('admin', 'secret')), 200)
  assert.is(await status({ authorization: `Bearer ${apiToken}` }), 200)
  assert.is(await status({ authorization: 'Bearer wrong' }), 401)
  assert.is(await status(basic('admin', 'wrong')), 401)
  assert.is(await status(basic('nobody', 'secret')), 401)
  // Wrong ones are told, as at the proxy's ports; who shows none has not been asked yet.
  assert.equal(
    told.flatMap(event => (event.type === 'client.rejected' ? event.code : [])),
    ['E_LOGIN_WRONG', 'E_LOGIN_WRONG'],
  )
  access.replace([makeLogin('test', 'other', 'new')])
  assert.is(await status(basic('admin', 'secret')), 401)
  assert.is(await status(basic('other', 'new')), 200)
})

test('guesses are slowed down, and then rejected unread', async ({ url }) => {
  const statuses: number[] = []
  const guess = async (i: number) =>
    statuses.push((await fetch(`${url}/`, { headers: basic('admin', `guess ${i}`) })).status)
  for (let i = 0; i < 10; i++) await guess(i)
  assert.equal(statuses, new Array(10).fill(401))
  // The eleventh has to wait for a second, and so on; who would have to wait for over ten is rejected.
  const stop = new AbortController()
  const waiting = Array.from({ length: 10 }, (_, i) =>
    fetch(`${url}/`, { headers: basic('admin', `more ${i}`), signal: stop.signal }).catch(() => undefined),
  )
  const late = await fetch(`${url}/`, { headers: basic('admin', 'secret') })
  if (late.status === 429) assert.is(late.headers.get('retry-after'), '10')
  // On a slow machine some of those before have been paid for.
  else assert.is(late.status, 200)
  stop.abort()
  await Promise.all(waiting)
})

test('it may be reached by a name, as behind a TLS proxy: a browser gives the login of one name to no other', async ({
  url,
}) => {
  const host = 'proxy.example'
  const status = async (headers: Record<string, string>) => (await fetch(`${url}/`, { headers })).status
  assert.is(await status({ ...basic('admin', 'secret'), host }), 200)
  assert.is(await status({ host }), 401)
})

test.run()
