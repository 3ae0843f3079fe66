import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unzipSync } from 'fflate'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { localFunctionZip } from '../../cli/deploy/function-zip.ts'
import {
  buildFunction,
  type FunctionBundle,
  type FunctionOptions,
  functionAvailable,
} from '../../function/build.ts'
import { errorData } from '../../tunnel/net/coded-error.ts'
import { patient } from '../support/patience.ts'

interface Context {
  bundle: FunctionBundle
  /** Where it is unpacked. */
  folder: string
}

const node = join(import.meta.dir, '../../node_modules/node/bin/node')
const test = suite<Context>('function bundle')

test.before(async context => {
  context.bundle = await buildFunction()
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  for (const [name, bytes] of Object.entries(unzipSync(context.bundle.zip)))
    await writeFile(join(context.folder, name), bytes)
})
test.after(({ folder }) => rm(folder, { recursive: true }))

test('holds index.js and the native binding, and nothing else', ({ bundle }) => {
  const engine = { native: 'engine.node', quiche: 'node.napi.node' }[bundle.engine]
  assert.equal(Object.keys(unzipSync(bundle.zip)).sort(), [engine, 'index.js'].sort())
})

test('what it never needs of its packages is left out', ({ bundle }) => {
  const script = Buffer.from(unzipSync(bundle.zip)['index.js']!)
  for (const left of ['sso_start_url', 'AssumeRoleWithWebIdentity', ':event-type', 'AnalyticsFilter'])
    assert.not(script.includes(left), left)
  assert.ok(script.length < 570_000, `index.js has ${script.length} bytes`)
})

test('two builds give the same bytes, in another time zone too', async ({ bundle }) => {
  const again = await buildFunction()
  assert.is(again.sha256, bundle.sha256)
  const script = `const { buildFunction } = await import(${JSON.stringify(join(import.meta.dir, '../../function/build.ts'))}); console.log((await buildFunction()).sha256)`
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
    env: { ...process.env, TZ: 'Pacific/Kiritimati' },
    cwd: tmpdir(),
    encoding: 'utf8',
  })
  assert.is(stdout.trim(), bundle.sha256, stderr)
})

test('what is unpacked at once holds the same, and is not compressed', async ({ bundle }) => {
  const stored = await localFunctionZip()
  const files = Object.entries(unzipSync(stored))
  assert.equal(
    files.map(([name]) => name),
    Object.keys(unzipSync(bundle.zip)),
  )
  const bytes = files.reduce((sum, [, { length }]) => sum + length, 0)
  assert.ok(stored.length > bytes, `${stored.length} bytes for ${bytes}`)
  const again = await buildFunction({ isStored: true })
  assert.equal(unzipSync(again.zip), unzipSync(bundle.zip))
})

test('a function on arm64 has the native engine alone, and without one is refused by a code', async () => {
  const refused = (options: FunctionOptions) =>
    buildFunction(options).then(
      () => undefined,
      error => errorData(error).code,
    )
  assert.is(await refused({ architecture: 'arm64', engine: 'quiche' }), 'E_BUILD_NO_ENGINE')
  if (!functionAvailable('arm64')) {
    assert.is(await refused({ architecture: 'arm64' }), 'E_BUILD_NO_ENGINE')
    return
  }
  const { zip, engine } = await buildFunction({ architecture: 'arm64' })
  assert.is(engine, 'native')
  const files = unzipSync(zip)
  assert.equal(Object.keys(files).sort(), ['engine.node', 'index.js'])
  // The machine that an ELF file is for: 183 is AArch64.
  assert.is(Buffer.from(files['engine.node']!).readUInt16LE(18), 183)
})

test('tells nothing of the machine that built it', ({ folder, bundle }) => {
  const root = join(import.meta.dir, '../..')
  const script = Buffer.from(unzipSync(bundle.zip)['index.js']!)
  for (const path of [root, folder, tmpdir() === '/' ? folder : join(tmpdir(), 'lambda-nat-proxy')])
    assert.not(script.includes(path), path)
})

test('under Node 24 the handler passes over what is no offer, and throws at nothing', ({ folder }) => {
  const record = (key: unknown, bucket: unknown = 'b') => ({
    eventName: 'ObjectCreated:Put',
    s3: { bucket: { name: bucket }, object: { key } },
  })
  const id = 'abcdefghij0123456789'
  const events = [
    { Event: 's3:TestEvent', Service: 'Amazon S3', Bucket: 'b' },
    {},
    null,
    [],
    'text',
    7,
    { Records: [] },
    { Records: {} },
    { Records: [null, 1, 'x', {}] },
    { Records: [{ s3: {} }, { s3: { bucket: {}, object: {} } }] },
    {
      Records: [
        record(`sessions/${id}/answer.json`),
        record('other/key.json'),
        record(`sessions%2F..%2Foffer.json`),
      ],
    },
    { Records: [record('%E0%A4%A'), record(''), record('+'), record('sessions/%00/offer.json')] },
    { Records: [record(7), record(null), record({}), record(`sessions/${id}/offer.json`, null)] },
  ]
  const script = `
    const { handler } = require(${JSON.stringify(join(folder, 'index.js'))})
    const context = { awsRequestId: 'r', memoryLimitInMB: '128', invokedFunctionArn: 'arn', getRemainingTimeInMillis: () => 60000 }
    ;(async () => {
      for (const event of ${JSON.stringify(events)}) await handler(event, context)
      await handler(undefined, context)
      console.log('done ' + process.version)
    })()`
  const { stdout, stderr, status } = spawnSync(node, ['-e', script], {
    // Whoever would be asked over the network answers at once that nobody is there.
    env: {
      AWS_REGION: 'local-1',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
    },
    encoding: 'utf8',
    timeout: patient(60_000),
  })
  assert.is(status, 0, stdout + stderr)
  const lines = stdout.trim().split('\n')
  assert.match(lines.pop()!, /^done v24\./)
  for (const line of lines) {
    const { level, message } = JSON.parse(line)
    assert.is(level, 'INFO', line)
    assert.match(message, /nothing to do|passed over/)
  }
})

test('a key that is encoded as S3 does it is read, and an offer that cannot be had is an error in the log and of the invocation', ({
  folder,
}) => {
  const key = 'sessions/abcdefghij0123456789/offer.json'
  const encoded = key.replaceAll('/', '%2F').replace('a', '%61')
  const event = { Records: [{ s3: { bucket: { name: 'b' }, object: { key: encoded } } }] }
  const script = `
    const { handler } = require(${JSON.stringify(join(folder, 'index.js'))})
    handler(${JSON.stringify(event)}, { awsRequestId: 'r', memoryLimitInMB: '128', getRemainingTimeInMillis: () => 60000 })
      .catch(error => console.log('threw ' + error.code))`
  const { stdout, status } = spawnSync(node, ['-e', script], {
    env: {
      AWS_REGION: 'local-1',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
    },
    encoding: 'utf8',
    timeout: patient(60_000),
  })
  assert.is(status, 0)
  const lines = stdout.trim().split('\n')
  assert.is(lines.pop(), 'threw E_AWS_UNREACHABLE')
  const last = JSON.parse(lines.pop()!)
  assert.is(last.level, 'ERROR')
  assert.is(last.session, 'abcdefghij0123456789')
  assert.match(last.error, 'could not read the offer')
})

test.run()
