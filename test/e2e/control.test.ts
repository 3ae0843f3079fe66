import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type Home, makeHome } from '../support/command.ts'
import { type LocalProxy, startProxy } from '../support/local-proxy.ts'
import { fetchBytes } from '../support/origin.ts'
import { type OriginContext, originSuite } from '../support/origin-suite.ts'

interface Context extends OriginContext {
  proxy: LocalProxy
  home: Home
}

const test = originSuite<Context>('Control of a running proxy', '0.0.0.0')

/** A proxy, and commands of the same user. */
async function start(context: Context): Promise<void> {
  const { keep } = context
  const home = await makeHome()
  keep({ close: home.remove })
  context.home = home
  home.environment.XDG_RUNTIME_DIR = home.folder
  context.proxy = keep(
    await startProxy({
      args: ['--local', '--allow-private', '--region', 'local-1,local-2', '--sessions', '2'],
      env: { XDG_RUNTIME_DIR: home.folder },
    }),
  )
  await context.proxy.event('exit.ready', ({ region }) => region === 'local-1')
  await context.proxy.event('exit.ready', ({ region }) => region === 'local-2')
}

const json = async ({ home }: Context, ...args: string[]) => {
  const { code, stdout, said } = await home.run(...args, '--json')
  assert.is(code, 0, said)
  return JSON.parse(stdout)
}

test('exits are listed, and rotated by id, region and site', async context => {
  await start(context)
  const { proxy, home, origin } = context
  const exits = await json(context, 'exits')
  assert.equal(exits.map(({ region }: { region: string }) => region).sort(), ['local-1', 'local-2'])
  const [one, two] = exits
  assert.is(one.phase, 'active')
  assert.is(one.local, true)
  assert.ok(one.cost > 0 && one.ageMs > 0 && one.remainingMs > 0)

  const { rotating } = await json(context, 'rotate', '--exit', one.id)
  assert.equal([rotating.length, rotating[0].id], [1, one.id])
  await proxy.event('exit.draining', ({ session }) => session === one.id)
  const { said } = await home.run('rotate', '--region', two.region)
  assert.match(said, two.id)
  await proxy.event('exit.draining', ({ session }) => session === two.id)

  await fetchBytes({ origin, proxy: proxy.port, host: '127.0.0.5', bytes: 10 })
  const { session } = await proxy.event('connection.opened')
  assert.is((await json(context, 'rotate', '--site', '127.0.0.5')).rotating[0].id, session)
  await proxy.event('exit.draining', event => event.session === session)
  const before = (await json(context, 'exits')).filter(({ phase }: { phase: string }) => phase === 'active')
  const after = await json(context, 'rotate', '--all', '--wait')
  const idsOf = (list: { id: string }[]) => list.map(({ id }) => id)
  assert.ok(after.active.length > 0)
  assert.equal(
    idsOf(after.active).filter(id => idsOf(before).includes(id)),
    [],
  )
  const listed = (await home.run('exits')).said
  assert.match(listed, /ID REGION ADDRESS PHASE .* local-1 127\.0\.0\.1/)
  assert.match(listed, / \$0 Cost: \$0 here \(on AWS about \$0\.\d+\)\./)
})

test('what cannot be done is refused with what can', async context => {
  await start(context)
  const { proxy, home } = context
  const ids = proxy.told('exit.ready').map(({ session }) => session)
  const unknown = await home.run('rotate', '--exit', 'x')
  assert.is(unknown.code, 1)
  for (const id of ids) assert.match(unknown.said, id)
  assert.match((await home.run('rotate', '--region', 'nowhere')).said, 'Regions are local-1, local-2.')
  assert.match((await home.run('ban', 'example.com')).said, 'no exit has served example.com')
  for (const args of [['rotate'], ['rotate', '--all', '--exit', 'x'], ['exits', '--proxy', 'x']])
    assert.is((await home.run(...args)).code, 2, args.join(' '))
  const page = `https://example.com/${'\u00fc'.repeat(1_000)}`
  assert.match((await home.run('ban', page)).said, 'no exit has served example.com')
  for (const option of ['--exit', '--region', '--site']) {
    const long = await home.run('rotate', option, 'x'.repeat(1_025))
    assert.is(long.code, 2)
    assert.match(long.said, `${option} has 1025 characters`)
  }
  const none = await home.run('exits', '--proxy', '1')
  assert.is(none.code, 1)
  assert.match(none.said, 'no proxy runs at port 1')
  const asData = await home.run('exits', '--proxy', '1', '--json')
  assert.equal([asData.code, asData.stdout], [1, ''])
  const { code, message, hint } = JSON.parse(asData.said)
  assert.equal([code, message], ['E_PROXY_NOT_RUNNING', 'no proxy runs at port 1 on this machine'])
  assert.match(hint, 'lambda-nat-proxy run')
})

test('the API does the same for who has the token of the file', async context => {
  await start(context)
  const { proxy, home } = context
  const { url } = await proxy.event('dashboard.ready')
  const token = readFileSync(join(home.folder, 'lambda-nat-proxy', `${proxy.port}.token`), 'utf8').trim()
  const ask = (headers: Record<string, string>) =>
    fetch(`${url}api/rotate`, { method: 'POST', headers, body: '{"region":"local-2"}' })
  assert.is((await ask({})).status, 403)
  const { session } = await proxy.event('exit.ready', ({ region }) => region === 'local-2')
  assert.is((await ask({ authorization: `Bearer ${token}` })).status, 200)
  await proxy.event('exit.draining', event => event.session === session)
})

test('a second run at the same port says which process has it, and what to do', async context => {
  await start(context)
  const { proxy, home } = context
  const { code, said } = await home.run('run', '--local', '--port', String(proxy.port))
  assert.is(code, 2)
  assert.match(said, `has port ${proxy.port} already: process ${proxy.pid}, started 2`)
  assert.match(said, `kill ${proxy.pid}`)
  assert.match(said, '--port')
  // Its socket stays its own.
  assert.is((await json(context, 'exits')).length, 2)
})

test('beside one that is stopped, a run at its port says so, and one at another port starts', async context => {
  await start(context)
  const { proxy, home, keep } = context
  process.kill(proxy.pid, 'SIGSTOP')
  try {
    const { code, said } = await home.run('run', '--local', '--port', String(proxy.port))
    assert.is(code, 2)
    assert.match(said, `has port ${proxy.port} already, and does not answer (process ${proxy.pid})`)
    assert.match(said, `"kill -CONT ${proxy.pid}" lets it go on, "kill -KILL ${proxy.pid}" ends it`)
    assert.match(said, '--port')
    const asked = await home.run('exits', '--json')
    assert.is(asked.code, 1)
    const { code: why, hint } = JSON.parse(asked.said)
    assert.is(why, 'E_CONTROL_SILENT')
    assert.match(hint, `kill -CONT ${proxy.pid}`)
    const other = keep(await startProxy({ env: { XDG_RUNTIME_DIR: home.folder } }))
    assert.is((await home.run('exits', '--proxy', String(other.port))).code, 0)
  } finally {
    process.kill(proxy.pid, 'SIGCONT')
  }
  assert.is((await json(context, 'exits', '--proxy', String(proxy.port))).length, 2)
})

test.run()
