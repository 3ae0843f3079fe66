import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { State } from '../../cli/client/stats/state.ts'
import { type Home, makeHome } from '../support/command.ts'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'
import { fetchBytes, type Origin, startOrigin } from '../support/origin.ts'
import { SocksError, socksConnect } from '../support/socks-client.ts'
import { until } from '../support/until.ts'

interface Context {
  origin: Origin
  home: Home
  start(): Promise<LocalProxy>
}

const test = suite<Context>('limits of logins, through a running proxy')

const quota = 3_000_000
const logins = `
quota:
  password: x
  quota: ${quota / 1e6}MB/month
few:
  password: x
  connections: 2
slow:
  password: x
  rate: 4Mbit
far:
  password: x
  exits: [local-2]
free:
  password: x
`

test.before(async context => {
  context.origin = await startOrigin()
  context.home = await makeHome()
  const file = join(context.home.folder, 'logins.yaml')
  await writeFile(file, logins)
  context.start = () =>
    startProxy({
      args: [
        ...['--local', '--allow-private', '--verbose', '--dashboard-port', '0', '--auth-file', file],
        ...['--regions', 'local-1,local-2'],
      ],
      env: { XDG_STATE_HOME: join(context.home.folder, 'state') },
    })
})
test.after(async ({ home, origin }) => {
  origin.close()
  await home.remove()
})

/** The start line of the response to a CONNECT. */
function httpConnect(proxy: LocalProxy, user: string, target: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect(proxy.port, '127.0.0.1')
  socket.on('error', reject)
  socket.on('connect', () =>
    socket.write(
      `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: Basic ${btoa(`${user}:x`)}\r\n\r\n`,
    ),
  )
  socket.on('data', chunk => {
    resolve(chunk.toString('latin1').split('\r\n')[0]!)
    socket.destroy()
  })
  return promise
}

async function refusedWith(proxy: LocalProxy, origin: Origin, user: string): Promise<number | undefined> {
  try {
    const socket = await socksConnect({ proxy: proxy.port, host: '127.0.0.1', port: origin.port, user })
    socket.destroy()
    return undefined
  } catch (error) {
    assert.instance(error, SocksError)
    return (error as SocksError).reply
  }
}

test('a quota is held to the byte but for a chunk, in this run and the next', async ({ origin, start }) => {
  const proxy = await start()
  const small = await fetchBytes({ proxy: proxy.port, origin, user: 'quota-session-1', bytes: 1_000_000 })
  assert.ok(small.complete)
  const large = await fetchBytes({ proxy: proxy.port, origin, user: 'quota', bytes: 100_000_000 })
  assert.not(large.complete)
  await proxy.event('quota.reached', event => event.user === 'quota')
  assert.is(await refusedWith(proxy, origin, 'quota'), 2)
  assert.match(await httpConnect(proxy, 'quota', `127.0.0.1:${origin.port}`), '429')
  const plain = await fetch(`http://127.0.0.1:${origin.port}/`, {
    proxy: `http://quota:x@127.0.0.1:${proxy.port}`,
  })
  assert.is(plain.status, 429)
  assert.match(plain.headers.get('proxy-status') ?? '', 'lambda-nat-proxy')
  const refused = await proxy.event('connection.refused')
  assert.equal([refused.code, refused.user, refused.reply], ['E_QUOTA_USED_UP', 'quota', 2])
  const ended = await proxy.event('connection.closed', event => event.end === 'quota')
  const carried = proxy
    .told('connection.closed')
    .filter(({ user }) => user === 'quota')
    .reduce((sum, { bytesUp, bytesDown }) => sum + bytesUp + bytesDown, 0)
  assert.ok(carried >= quota && carried <= quota + 65_536, `${carried}`)
  assert.is(ended.user, 'quota')
  // Nobody else is held back.
  assert.ok((await fetchBytes({ proxy: proxy.port, origin, user: 'free', bytes: 1_000_000 })).complete)
  assert.is(await proxy.stop('SIGTERM'), 0)

  const next = await start()
  assert.is(await refusedWith(next, origin, 'quota'), 2)
  const { url } = await next.event('dashboard.ready')
  const { users } = (await (await fetch(`${url}api/state`)).json()) as State
  const state = users.find(({ user }) => user === 'quota')!
  assert.equal([state.used, state.quota, state.period], [carried, quota, 'month'])
  assert.match(await (await fetch(`${url}metrics`)).text(), `user_used_bytes{user="quota"} ${carried}`)
  await next.close()
  await proxy.close()
})

test('connections, rate and exits of a login', async ({ origin, start }) => {
  const proxy = await start()
  const open = () => socksConnect({ proxy: proxy.port, host: '127.0.0.1', port: origin.port, user: 'few' })
  const sockets = [await open(), await open()]
  assert.is(await refusedWith(proxy, origin, 'few'), 2)
  assert.match(await httpConnect(proxy, 'few', `127.0.0.1:${origin.port}`), '429')
  sockets[0]!.destroy()
  await until(async () => (await refusedWith(proxy, origin, 'few')) === undefined, 'a place')
  sockets[1]!.destroy()

  const began = performance.now()
  const fetches = [1, 2].map(() => fetchBytes({ proxy: proxy.port, origin, user: 'slow', bytes: 500_000 }))
  for (const { complete, wrong } of await Promise.all(fetches)) assert.ok(complete && wrong === 0)
  // A megabyte at half a megabyte a second, less a burst and the last chunks.
  assert.ok(performance.now() - began >= 1_500)

  await fetchBytes({ proxy: proxy.port, origin, user: 'far', bytes: 10 })
  const { session } = proxy.told('connection.opened').filter(({ user }) => user === 'far')[0]!
  assert.is(proxy.told('exit.ready').find(exit => exit.session === session)?.region, 'local-2')
  assert.is(await refusedWith(proxy, origin, 'far-region-local-1'), 2)
  assert.match(await httpConnect(proxy, 'far-region-local-1', `127.0.0.1:${origin.port}`), '403')
  await proxy.close()
})

test.run()
