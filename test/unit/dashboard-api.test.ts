import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import parsePrometheus, { type Family } from 'parse-prometheus-text-format'
import * as assert from 'uvu/assert'
import { createEvents } from '../../cli/client/stats/events.ts'
import { createModel } from '../../cli/client/stats/model.ts'
import { tokenHeader } from '../../cli/client/stats/state.ts'
import { startDashboard } from '../../cli/dashboard/server.ts'
import { controlled } from '../support/controlled.ts'
import { apiToken, comeUp, dashboardSuite, follow, type Message } from '../support/dashboard-suite.ts'
import { until } from '../support/until.ts'

const test = dashboardSuite("the dashboard's API")

// biome-ignore lint/suspicious/noExplicitAny: each answer has a shape of its own
const jsonOf = async (response: Response): Promise<any> => response.json()

async function token(url: string): Promise<string> {
  for await (const { data } of follow(url)) return data.token
  throw new Error('there is no stream')
}

test('is ready with an exit that accepts connections, and not without', async context => {
  const { url, events } = context
  const health = async () => (await fetch(`${url}/healthz`)).status
  assert.is(await health(), 503)
  comeUp(context)
  assert.is(await health(), 200)
  events.emit({ type: 'exit.silent', session: 'a', silent: true })
  assert.is(await health(), 503)
  events.emit({ type: 'exit.silent', session: 'a', silent: false })
  events.emit({ type: 'exit.draining', session: 'a', connections: 1, remainingMs: 1 })
  assert.is(await health(), 503)
})

test('is ready while it sleeps, until a connection waits for an exit', async ({ url, events }) => {
  const health = async () => {
    const response = await fetch(`${url}/healthz`)
    return [response.status, await response.json()]
  }
  events.emit({ type: 'fleet.asleep', idleMs: 900_000 })
  assert.equal(await health(), [200, { ready: true, exits: 0, idle: true }])
  events.emit({ type: 'fleet.waking' })
  assert.equal(await health(), [503, { ready: false, exits: 0, idle: false }])
})

test('is not ready while it sleeps and the budget lets no exit wake', async ({ url, events }) => {
  const health = async () => (await fetch(`${url}/healthz`)).status
  const budget = (state: 'open' | 'spent', action: 'stop' | 'warn') =>
    events.emit({
      ...{ type: 'budget.sampled', budget: 5, spent: 5, period: 'month', resetsAt: 0 },
      ...{ state, action },
    })
  events.emit({ type: 'fleet.asleep', idleMs: 900_000 })
  budget('spent', 'stop')
  assert.is(await health(), 503)
  budget('spent', 'warn')
  assert.is(await health(), 200)
  budget('spent', 'stop')
  budget('open', 'stop')
  assert.is(await health(), 200)
  budget('spent', 'stop')
  const applied = [{ key: 'fleet.budget', from: '5/month', to: undefined }]
  const logins = { added: [], removed: [], changed: [] }
  events.emit({ type: 'config.reloaded', applied, needRestart: [], logins })
  assert.is(await health(), 200)
  assert.not.match(await (await fetch(`${url}/metrics`)).text(), 'budget_dollars{')
})

test('changes nothing without the token that its own page has', async context => {
  const { url, rotated } = context
  const rotate = (headers: Record<string, string>, method = 'POST') =>
    fetch(`${url}/api/rotate`, { method, headers, ...(method === 'POST' && { body: '{"all":true}' }) })
  assert.is((await rotate({})).status, 403)
  assert.is((await rotate({ [tokenHeader]: 'wrong' })).status, 403)
  const right = { [tokenHeader]: await token(url) }
  assert.is((await rotate(right)).status, 409, 'there is nothing to rotate')
  assert.equal(rotated, [])
  comeUp(context)
  assert.is((await rotate(right)).status, 200)
  assert.equal(rotated, [{ all: true }])
})

test("does for the file's token what it does for the page's", async context => {
  const { url, rotated } = context
  comeUp(context)
  const ask = (name: string, token: string, body = '{}') =>
    fetch(`${url}/api/${name}`, { method: 'POST', headers: { authorization: token }, body })
  for (const wrong of ['', 'Bearer', 'Bearer wrong', `Basic ${apiToken}`, `Bearer ${apiToken}x`]) {
    const response = await ask('rotate', wrong)
    assert.is(response.status, 403, wrong)
    assert.is((await jsonOf(response)).code, 'E_CONTROL_TOKEN')
  }
  assert.equal(rotated, [])
  assert.is((await ask('rotate', `Bearer ${apiToken}`, '{"region":"eu-west-1"}')).status, 200)
  assert.equal(rotated, [{ region: 'eu-west-1' }])
  const [exit] = await jsonOf(await ask('exits', `bearer ${apiToken}`))
  assert.is(exit.id, 'a')
  assert.is(exit.address, '192.0.2.1')
  for (const unknown of [await ask('explode', `Bearer ${apiToken}`), await fetch(`${url}/api/explode`)]) {
    assert.is(unknown.status, 404)
    assert.is((await jsonOf(unknown)).code, 'E_CONTROL_OPERATION')
  }
})

test('a method that a path has not is answered with those that it has', async ({ url, rotated }) => {
  const page = await (await fetch(url)).text()
  const script = /src="([^"]+)"/.exec(page)![1]!
  const reading = ['/', new URL(script, url).pathname, '/api/state', '/api/stream', '/metrics', '/healthz']
  const doing = ['status', 'exits', 'rotate', 'ban', 'reload'].map(name => `/api/${name}`)
  const told = async (path: string, method: string) => {
    const response = await fetch(url + path, { method })
    const { status, headers } = response
    return { status, allow: headers.get('allow'), type: headers.get('content-type'), response }
  }
  for (const path of [...reading, ...doing]) {
    const isRead = reading.includes(path)
    const allow = isRead ? 'GET, HEAD, OPTIONS' : 'POST, OPTIONS'
    for (const method of isRead ? ['POST', 'PUT', 'DELETE', 'PATCH'] : ['GET', 'HEAD', 'PUT', 'DELETE']) {
      const { status, response, ...found } = await told(path, method)
      assert.equal([status, found.allow], [405, allow], `${method} ${path}`)
      if (method === 'HEAD') continue
      const { code, hint } = await jsonOf(response)
      assert.equal([code, hint], ['E_CONTROL_METHOD', isRead ? 'Send GET or HEAD.' : 'Send POST.'])
    }
    const options = await told(path, 'OPTIONS')
    assert.equal([options.status, options.allow], [204, allow], path)
    assert.is(options.response.headers.get('access-control-allow-origin'), null)
  }
  for (const path of reading) {
    const head = await told(path, 'HEAD')
    const get = await told(path, 'GET')
    await get.response.body?.cancel()
    assert.equal([head.status, head.type], [get.status, get.type], path)
    assert.is(await head.response.text(), '')
  }
  for (const method of ['GET', 'POST', 'OPTIONS'])
    for (const path of ['/nothing', '/api/explode', '/a/b'])
      assert.is((await told(path, method)).status, 404, `${method} ${path}`)
  assert.equal(rotated, [])
})

test('who asks for the head of the stream takes up none', async ({ url }) => {
  for (let each = 0; each < 40; each++)
    assert.is((await fetch(`${url}/api/stream`, { method: 'HEAD' })).status, 200)
})

test('retires the exit that is named, and no other than there is', async context => {
  const { url, rotated } = context
  comeUp(context)
  const headers = { [tokenHeader]: await token(url) }
  const rotate = (body: string) => fetch(`${url}/api/rotate`, { method: 'POST', headers, body })
  const right = await rotate('{"exit":"a"}')
  assert.is(right.status, 200)
  assert.equal(
    (await jsonOf(right)).rotating.map(({ id }: { id: string }) => id),
    ['a'],
  )
  assert.is((await rotate('{"exit":"b"}')).status, 404)
  // What cannot be read does not mean all of them.
  for (const wrong of ['{"exit":{}}', '{"exit":', 'a', '{"exti":"a"}', '{"all":false}', '[]', '{}', ''])
    assert.is((await rotate(wrong)).status, 400, wrong)
  assert.is((await rotate('x'.repeat(10_000))).status, 413)
  assert.equal(rotated, [{ exit: 'a' }])
})

test('streams all there is, then what is new: at once for an exit, with the sample for a connection', async context => {
  const { url, events } = context
  const told = follow(url)
  const next = async (): Promise<Message> => (await told.next()).value!
  assert.is((await next()).event, 'hello')
  assert.is((await next()).event, 'state')
  comeUp(context)
  const update = await next()
  assert.is(update.event, 'update')
  assert.is(update.data.exits[0]!.phase, 'active')

  const opened = {
    type: 'connection.opened',
    outbound: 'tunnel',
    session: 'a',
    target: 'a.example:1',
    ms: 1,
  } as const
  for (let connection = 1; connection <= 1_000; connection++) events.emit({ ...opened, connection })
  // What changes in the very millisecond of an update is told twice.
  const openedAt = Date.now()
  await until(() => Date.now() > openedAt, 'the next millisecond')
  events.emit({ type: 'traffic.sampled', connections: [], paths: [] })
  assert.is((await next()).data.connections.length, 1_000)
  events.emit({
    type: 'traffic.sampled',
    connections: [{ connection: 7, bytesUp: 1, bytesDown: 2 }],
    paths: [],
  })
  assert.equal(
    (await next()).data.connections.map(({ id, bytesDown }) => [id, bytesDown]),
    [[7, 2]],
  )
  await told.return(undefined)
})

test('tells Prometheus what it tells the page', async context => {
  const { url, events } = context
  comeUp(context)
  const session = 'a'
  events.emit({ type: 'exit.moved', session, candidate: 'relayed' })
  events.emit({
    type: 'connection.opened',
    connection: 1,
    outbound: 'tunnel',
    session,
    target: 'a.example:1',
    ms: 20,
  })
  events.emit({
    type: 'traffic.sampled',
    connections: [{ connection: 1, bytesUp: 300, bytesDown: 4_000 }],
    paths: [{ session, rttMs: 25, sent: 10, lost: 1 }],
  })
  const response = await fetch(`${url}/metrics`)
  assert.match(response.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/)
  const families = new Map<string, Family>(
    parsePrometheus(await response.text()).map(family => [family.name, family]),
  )
  const value = (name: string, labels: Record<string, string> = {}) => {
    const { metrics } = families.get(name) ?? { metrics: [] }
    const metric = metrics.find(each =>
      Object.entries(labels).every(([label, text]) => each.labels?.[label] === text),
    )
    return Number(metric?.value)
  }
  assert.is(value('lambda_nat_proxy_traffic_bytes_total', { direction: 'down', region: 'eu-west-1' }), 4_000)
  assert.is(value('lambda_nat_proxy_traffic_bytes_total', { direction: 'up' }), 300)
  assert.is(value('lambda_nat_proxy_open_connections'), 1)
  assert.is(value('lambda_nat_proxy_exits', { state: 'active' }), 1)
  assert.is(value('lambda_nat_proxy_exit_rtt_seconds', { session }), 0.025)
  assert.is(value('lambda_nat_proxy_exit_packets_lost_total', { session }), 1)
  assert.equal(families.get('lambda_nat_proxy_exit_path_info')?.metrics, [
    { value: '1', labels: { session, region: 'eu-west-1', path: 'relayed' } },
  ])
  assert.ok(value('process_resident_memory_bytes') > 1e6)
  const documented = await readFile(join(import.meta.dir, '../../docs/events.md'), 'utf8')
  for (const { name, type, help } of families.values()) {
    assert.match(documented, `\`${name}\``, 'docs/events.md')
    assert.ok(help, name)
    assert.is(name.endsWith('_total'), type === 'COUNTER', `${name} is a ${type}`)
    assert.match(name, /^(lambda_nat_proxy|process)(_[a-z]+)+$/)
    // OpenMetrics names a counter's family without its suffix.
    if (type === 'COUNTER') assert.not.ok(families.has(name.replace(/_total$/, '')), name)
    if (type === 'HISTOGRAM') assert.match(name, /_(seconds|bytes)$/)
  }
})

test('an operation that takes its time is waited for, and what fails has the safe headers, too', async () => {
  const events = createEvents()
  const model = createModel(events)
  const report = { applied: [], needRestart: [], logins: { added: [], removed: [], changed: [] } }
  const control = {
    ...controlled(model),
    // Longer than a connection may be idle otherwise.
    reload: () => sleep(13_000).then(() => report),
  }
  const broken = {
    ...model,
    state(): never {
      throw new Error('of the model')
    },
  }
  const dashboard = startDashboard({
    ...{ host: '127.0.0.1', port: 0, events, control, apiToken },
    model: broken,
  })
  const url = `http://127.0.0.1:${dashboard.port}/api`
  try {
    const headers = { authorization: `Bearer ${apiToken}` }
    const reloading = fetch(`${url}/reload`, { method: 'POST', headers })
    const failed = await fetch(`${url}/state`)
    assert.is(failed.status, 500)
    assert.is(failed.headers.get('x-content-type-options'), 'nosniff')
    assert.equal(await jsonOf(await reloading), report)
  } finally {
    dashboard.close()
  }
})

test.run()
