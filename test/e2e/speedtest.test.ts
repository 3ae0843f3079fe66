import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Ledger } from '../../cli/client/ledger/ledger.ts'
import { referencePrices } from '../../cli/client/stats/prices.ts'
import { type Home, makeHome } from '../support/command.ts'
import { type LocalCloud, startLocalCloud } from '../support/local-cloud.ts'
import { until } from '../support/until.ts'

const test = suite<{ home: Home }>('lambda-nat-proxy speedtest')

test.before.each(async context => {
  context.home = await makeHome()
  // Its temporary files lie in this test's.
  context.home.environment.TMPDIR = context.home.folder
})
test.after.each(({ home }) => home.remove())

/** Gives the options that name a cloud, and the home its credentials. */
function pointAt({ cloud, bucket, region }: LocalCloud, home: Home): string[] {
  const { endpoint, credentials, stunServers } = cloud
  Object.assign(home.environment, {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  })
  return ['--bucket', bucket, '--region', region, '--stun', stunServers.join(',')]
}

const speedtest = (home: Home, ...args: string[]) => home.run('speedtest', '--seconds', '1', ...args)

test('it measures the way to an exit of the embedded cloud, and leaves nothing behind', async ({ home }) => {
  const { code, stdout, said } = await speedtest(home, '--local', '--json')
  assert.is(code, 0, said)
  const { exit, latency, download, upload, comparison } = JSON.parse(stdout)
  assert.equal([exit.region, exit.address, exit.memoryMb], ['local-1', '127.0.0.1', 256])
  assert.ok(latency.samples > 0 && latency.medianMs > 0 && latency.p95Ms >= latency.medianMs)
  for (const { bytes, ms, bitsPerSecond } of [download, upload])
    assert.ok(bytes > 0 && ms >= 900 && bitsPerSecond > 0)
  assert.is(comparison, undefined)
  assert.equal(home.leftovers(), [])
})

test('a URL is held against the same without the tunnel', async ({ home }) => {
  const web = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('x'.repeat(50_000)) })
  try {
    const url = `http://127.0.0.1:${web.port}/page`
    const { code, said } = await speedtest(home, '--local', '--allow-private', '--url', url)
    assert.is(code, 0, said)
    for (const words of ['exit 127.0.0.1', 'latency', 'download', 'upload', url]) assert.match(said, words)
    for (const way of ['direct', 'tunnel'])
      assert.match(said, new RegExp(`${way} \\S+ .bit/s status 200, first byte after [^,]+, 50.0 kB in`))
  } finally {
    await web.stop(true)
  }
})

test('on a terminal a bar shows how far it is', async ({ home }) => {
  const { code, said } = await home.onTerminal('never asked', '', 'speedtest', '--seconds', '1', '--local')
  assert.is(code, 0, said)
  assert.match(said, /download +█+░* +[\d.]+ .bit\/s/)
  assert.match(said, /upload +█+░* +[\d.]+ .bit\/s/)
})

test('with a bucket it launches one exit, says bye to it and deletes offer and answer', async ({ home }) => {
  const cloud = await startLocalCloud()
  const web = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response(new Uint8Array(50_000_000)),
  })
  try {
    const target = pointAt(cloud, home)
    home.environment.XDG_STATE_HOME = home.folder
    const url = `http://127.0.0.1:${web.port}/`
    const { code, stdout, said } = await speedtest(home, ...target, '--json', '--url', url)
    assert.is(code, 0, said)
    await cloud.logged('ended')
    assert.is(cloud.log.filter(({ message }) => message === 'answered').length, 1)
    assert.equal(await cloud.keys(), [])
    // All that the exit sent is paid for, and the packets around it.
    const { download, comparison } = JSON.parse(stdout)
    const dataOut = (download.bytes + comparison.tunnel.bytes) * 1.05 * (referencePrices.gbOut / 1e9)
    const ledger = new Ledger(join(home.folder, 'lambda-nat-proxy/usage.db'))
    assert.ok(ledger.spend('') >= dataOut, `${ledger.spend('')} of ${dataOut}`)
    ledger.close()
    // It counts towards a budget, and there is none left for another.
    home.environment.LAMBDA_NAT_PROXY_FLEET_BUDGET = '0.000001/day'
    const refused = await speedtest(home, ...target)
    assert.is(refused.code, 1, refused.said)
    assert.match(refused.said, 'a day is used up')
    assert.is(cloud.log.filter(({ message }) => message === 'answered').length, 1)
  } finally {
    await web.stop(true)
    await cloud.close()
  }
})

test('a function that does not answer is waited for, and in JSON nothing but the report is on the standard output', async ({
  home,
}) => {
  const cloud = await startLocalCloud({ onEvent() {} })
  try {
    const target = pointAt(cloud, home)
    const asked = [...target, '--answer-timeout', '7s']
    home.environment.XDG_STATE_HOME = home.folder
    const [person, program] = await Promise.all([
      speedtest(home, ...asked),
      speedtest(home, ...asked, '--json'),
    ])
    assert.match(person.said, `Waiting for the function in ${cloud.region}`)
    assert.equal([program.code, program.stdout], [1, ''])
    assert.is(JSON.parse(program.said).code, 'E_ANSWER_TIMEOUT')
    // What did not answer may have run all the same: as with run, two launches of 256 MB are counted for the wait.
    const ledger = new Ledger(join(home.folder, 'lambda-nat-proxy/usage.db'))
    const spent = ledger.spend('')
    ledger.close()
    assert.ok(spent > 2 * 6 * (256 / 1024) * referencePrices.gbSecond, `${spent}`)
  } finally {
    await cloud.close()
  }
})

test('Ctrl-C calls it off with 130, and nothing stays behind', async ({ home }) => {
  const running = home.start('speedtest', '--seconds', '60', '--local')
  let clouds: string[] = []
  const look = setInterval(async () => {
    clouds = home.leftovers()
  }, 20)
  await until(() => clouds.length > 0, 'the embedded cloud')
  clearInterval(look)
  running.process.kill('SIGINT')
  const { code, said } = await running.end
  assert.is(code, 130, said)
  assert.equal(home.leftovers(), [])
})

test('what is asked wrongly is refused before anything is started', async ({ home }) => {
  for (const [args, ...words] of [
    [['--seconds', '0'], '--seconds 0', '1 to 60'],
    [['--seconds', 'long'], '--seconds long'],
    [['--url', 'ftp://example.com/'], '--url ftp://example.com/', 'http://'],
    [['--local', '--bucket', 'mine'], '--bucket'],
    [['--allow-private'], '--local'],
    // Before the minute that it would take.
    [['--json', '--yaml', '--local', '--seconds', '60'], '--yaml'],
  ] as const) {
    const { code, said } = await home.run('speedtest', ...args)
    assert.is(code, 2, said)
    for (const word of words) assert.match(said, word)
  }
})

test.run()
