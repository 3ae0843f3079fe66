import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { State } from '../../cli/client/stats/state.ts'
import { type Home, makeHome } from '../support/command.ts'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'
import { fetchBytes, type Origin, startOrigin } from '../support/origin.ts'
import { until } from '../support/until.ts'

interface Context {
  origin: Origin
  proxy: LocalProxy
  url: string
  audit: string
  home: Home
}

const test = suite<Context>('who used what')

/** Bytes that each user fetches, and the line that asks for them. */
const fetches = { alice: [1_234_567, 1, 65_536], bob: [2_345_678] }

test.before(async context => {
  context.origin = await startOrigin()
  const home = await makeHome()
  context.home = home
  const logins = join(home.folder, 'logins')
  const hash = await Bun.password.hash('x', { algorithm: 'argon2id', memoryCost: 1024, timeCost: 1 })
  await writeFile(logins, `alice:${hash}\nbob:x\n`)
  context.audit = join(home.folder, 'audit.jsonl')
  context.proxy = await startProxy({
    args: [
      ...['--local', '--allow-private', '--verbose', '--dashboard-port', '0'],
      ...['--auth-file', logins, '--audit', context.audit],
    ],
  })
  context.url = (await context.proxy.event('dashboard.ready')).url
})
test.after(async ({ proxy, origin, home }) => {
  await proxy.close()
  await home.remove()
  origin.close()
})

const up = (bytes: number) => `${bytes} 0\n`.length
const sum = (numbers: number[]) => numbers.reduce((all, each) => all + each, 0)

test('two users are told apart to the byte, in events, metrics, the API and the audit file', async ({
  proxy,
  origin,
  url,
  audit,
}) => {
  await Promise.all(
    Object.entries(fetches).flatMap(([user, sizes]) =>
      sizes.map(async (bytes, i) => {
        const name = i === 0 ? user : `${user}-session-${i}`
        const { received } = await fetchBytes({ proxy: proxy.port, origin, user: name, bytes })
        assert.is(received, bytes)
      }),
    ),
  )
  await until(() => proxy.told('connection.closed').length === 4, 'all ends')
  const metrics = await (await fetch(`${url}metrics`)).text()
  const { users } = (await (await fetch(`${url}api/state`)).json()) as State
  const written = async () =>
    (await readFile(audit, 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
  await until(async () => (await written()).length === 4, 'all entries')
  for (const [user, sizes] of Object.entries(fetches)) {
    const down = sum(sizes)
    const upwards = sum(sizes.map(up))
    const ended = proxy.told('connection.closed').filter(event => event.user === user)
    assert.is(sum(ended.map(({ bytesDown }) => bytesDown)), down)
    assert.is(sum(ended.map(({ bytesUp }) => bytesUp)), upwards)
    const state = users.find(each => each.user === user)!
    assert.equal(
      [state.bytesDown, state.bytesUp, state.connections, state.active],
      [down, upwards, sizes.length, 0],
    )
    const prefix = 'lambda_nat_proxy_user_'
    assert.match(metrics, `${prefix}traffic_bytes_total{user="${user}",direction="down"} ${down}\n`)
    assert.match(metrics, `${prefix}traffic_bytes_total{user="${user}",direction="up"} ${upwards}\n`)
    assert.match(metrics, `${prefix}connections_total{user="${user}",outcome="opened"} ${sizes.length}\n`)
    const entries = (await written()).filter(entry => entry.user === user)
    assert.is(sum(entries.map(({ bytesDown }) => bytesDown)), down)
    assert.is(sum(entries.map(({ bytesUp }) => bytesUp)), upwards)
    const { address } = proxy.told('exit.ready')[0]!
    for (const entry of entries)
      assert.equal(
        [entry.target, entry.outbound, entry.address, entry.region, entry.ended],
        [`127.0.0.1:${origin.port}`, 'tunnel', address, 'local-1', 'complete'],
      )
  }
})

test('what is open when the proxy ends is written down before it ends', async ({ proxy, origin, audit }) => {
  const open = Promise.withResolvers<void>()
  const fetched = fetchBytes({
    ...{ proxy: proxy.port, origin, user: 'bob', bytes: 1e9, rate: 1e5 },
    onProgress: () => open.resolve(),
  })
  await open.promise
  assert.is(await proxy.stop(), 0)
  const { received } = await fetched
  const last = JSON.parse((await readFile(audit, 'utf8')).trim().split('\n').at(-1)!)
  assert.equal([last.user, last.ended], ['bob', 'proxy-closed'])
  assert.ok(last.bytesDown >= received && received > 0, `${last.bytesDown} of ${received}`)
  assert.is((await stat(audit)).mode & 0o777, 0o600)
})

test.run()
