import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../cli/config/load.ts'
import { openSignalling } from '../../cli/deploy/signalling.ts'
import { errorData } from '../../tunnel/net/coded-error.ts'
import { makeHome } from '../support/command.ts'
import { freePort } from '../support/free-port.ts'
import { type LocalCloud, startLocalCloud } from '../support/local-cloud.ts'
import { launchProxy } from '../support/local-proxy.ts'
import { until } from '../support/until.ts'

const test = suite<{ local: LocalCloud }>('A clean end')

test.before.each(async context => {
  context.local = await startLocalCloud()
})
test.after.each(({ local }) => local.close())

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  test(`${signal} tells the functions, deletes offers and answers, and ends with 0`, async ({ local }) => {
    const proxy = await local.proxy({ args: ['--sessions', '2'] })
    const second = () => proxy.told('exit.ready').length === 2
    await until(second, 'both exits')
    assert.is((await local.keys()).length, 4)
    const started = performance.now()
    assert.is(await proxy.stop(signal), 0)
    const { heardAt } = proxy.told('exit.closed').at(-1)!
    for (const { session } of proxy.told('exit.ready')) {
      const { reason } = await local.logged('ended', record => record.session === session)
      assert.is(reason, 'E_QUIC_CLOSED_BY_PEER: the client ends')
    }
    console.log(
      `figure: clean end ${Math.round(performance.now() - started)} ms, said bye after ${Math.round(heardAt - started)} ms`,
    )
    assert.equal(await local.keys(), [])
  })

for (const last of ['offer', 'punch'] as const)
  test(`one that comes while an exit is being launched, after ${last}, leaves nothing behind either`, async ({
    local,
  }) => {
    const proxy = await local.launch()
    await proxy.event('exit.step', ({ step }) => step === last)
    assert.is(await proxy.stop('SIGINT'), 0)
    assert.equal(await local.keys(), [])
  })

test('one that comes while the embedded cloud is being started leaves no folder of it', async () => {
  const proxy = await launchProxy()
  try {
    await until(() => proxy.leftovers().length > 0, 'the cloud to begin')
    assert.is(await proxy.stop('SIGINT'), 0)
    assert.equal(proxy.leftovers(), [])
  } finally {
    await proxy.close()
  }
})

test('of a bucket that goes with the process nothing is removed at the end, and until then it is', async () => {
  const config = await loadConfig()
  const interrupted = new AbortController()
  const local = { regions: ['local-1'], mode: 'normal' as const, allowPrivate: false }
  const source = await openSignalling({ config, relay: undefined, local }, interrupted.signal)
  const bucket = source.buckets.get('local-1')!
  try {
    await bucket.remove('a')
  } finally {
    await source.close()
  }
  const refused = await bucket.remove('b').catch(errorData)
  assert.is(refused?.code, 'E_AWS_UNREACHABLE')
  interrupted.abort()
  await bucket.remove('c')
})

test('a SIGHUP that was ignored at the start, as nohup has it, stays ignored', async ({ local }) => {
  const command = ['sh', '-c', 'trap "" HUP; exec "$@"', 'sh']
  const proxy = await local.proxy({ command })
  process.kill(proxy.pid, 'SIGHUP')
  const { url } = proxy.told('dashboard.ready')[0]!
  assert.is((await fetch(`${url}healthz`)).status, 200)
  assert.is(await proxy.stop('SIGTERM'), 0)
})

test('with --quiet nothing is said of what goes well', async () => {
  const home = await makeHome()
  home.environment.TMPDIR = home.folder
  const port = await freePort()
  const proxy = home.start('run', '--local', '-q', '-p', '0', '--dashboard-port', String(port))
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/healthz`).then(
      ({ status }) => status === 200,
      () => false,
    )
  try {
    await until(isReady, 'an exit')
    proxy.process.kill('SIGINT')
    const { code, said } = await proxy.end
    assert.is(code, 0)
    assert.is(said, '')
  } finally {
    proxy.process.kill('SIGKILL')
    await home.remove()
  }
})

test('a terminal that closes ends it as Ctrl-C does', async () => {
  const home = await makeHome()
  home.environment.TMPDIR = home.folder
  const proxy = home.atTerminal('run', '--local', '--port', '0', '--no-dashboard')
  try {
    await until(() => proxy.said().includes('Proxy ready'), 'the proxy to be ready')
    proxy.hangUp()
    assert.is(await proxy.exited, 0)
    assert.equal(home.leftovers(), [])
  } finally {
    proxy.kill()
    await home.remove()
  }
})

test('with S3 gone the functions are told all the same, and it ends in order', async ({ local }) => {
  const proxy = await local.proxy()
  local.s3.mode = 'down'
  assert.is(await proxy.stop('SIGINT'), 0)
  await local.logged('ended')
})

test.run()
