import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startS3 } from '../../cli/cloud/s3.ts'
import { newCredentials } from '../../cli/cloud/s3-auth.ts'
import { startStun } from '../../cli/cloud/stun.ts'
import { loadConfig } from '../../cli/config/load.ts'
import { clockCheck } from '../../cli/doctor/clock-check.ts'
import { type Context, createContext } from '../../cli/doctor/context.ts'

const test = suite("what the doctor's checks share")

const variables = [
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_S3',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_REGION',
]
const before = variables.map(name => process.env[name])
test.after.each(() => {
  for (const [i, name] of variables.entries())
    if (before[i] === undefined) delete process.env[name]
    else process.env[name] = before[i]
})

test('a launch that no check waits for any more ends with the context', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const credentials = newCredentials()
  const offered = Promise.withResolvers<void>()
  // Nobody answers the offer.
  const options = { host: '127.0.0.1', port: 0, directory, buckets: ['bucket'], credentials }
  const s3 = await startS3({ ...options, onEvent: () => offered.resolve() })
  const stun = await startStun('127.0.0.1', 0)
  process.env.AWS_ENDPOINT_URL = `http://127.0.0.1:${s3.port}`
  process.env.AWS_ACCESS_KEY_ID = credentials.accessKeyId
  process.env.AWS_SECRET_ACCESS_KEY = credentials.secretAccessKey
  process.env.AWS_REGION = 'eu-central-1'
  try {
    const flags = { stun: `127.0.0.1:${stun.port}`, 'port-mapping': 'off', 'answer-timeout': '5m' }
    const config = await loadConfig({ flags, env: {} })
    const context = createContext({ config, bucket: 'bucket' }, new AbortController().signal)
    const outcome = context.exit().then(
      () => 'up',
      error => error.message,
    )
    await offered.promise
    await context.close()
    assert.is(await outcome, 'the doctor is done')
  } finally {
    await s3.close()
    await stun.close()
    await rm(directory, { recursive: true, force: true })
  }
})

test('an empty variable names no endpoint to ask for the time', async () => {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: () => new Response(null, { headers: { date: new Date().toUTCString() } }),
  })
  process.env.AWS_ENDPOINT_URL_S3 = ''
  process.env.AWS_ENDPOINT_URL = server.url.href
  try {
    const context = { isLocal: false, regions: async () => [] as string[] }
    const { status, message } = await clockCheck.run(context as Partial<Context> as Context)
    assert.equal([status, message], ['ok', `right, by ${server.url.host}`])
  } finally {
    await server.stop(true)
  }
})

test("the time is asked of the region's own S3: one that only the profile names, and in its partition", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const before = { ...process.env }
  const own = globalThis.fetch
  const asked: string[] = []
  const answer = async (url: Parameters<typeof fetch>[0]) => {
    asked.push(String(url))
    return new Response(null, { headers: { date: new Date().toUTCString() } })
  }
  globalThis.fetch = Object.assign(answer, own)
  try {
    for (const name of [
      ...['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3', 'AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE'],
      ...['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
    ])
      delete process.env[name]
    process.env.XDG_STATE_HOME = folder
    process.env.AWS_CONFIG_FILE = join(folder, 'config')
    await writeFile(join(folder, 'config'), '[profile china]\nregion = cn-north-1\n')
    for (const flags of [{ profile: 'china' }, { regions: 'cn-northwest-1' }, { regions: 'eu-west-1' }]) {
      const config = await loadConfig({ flags, env: {} })
      const context = createContext({ config }, new AbortController().signal)
      assert.is((await clockCheck.run(context)).status, 'ok')
      await context.close()
    }
    assert.equal(asked, [
      'https://s3.cn-north-1.amazonaws.com.cn',
      'https://s3.cn-northwest-1.amazonaws.com.cn',
      'https://s3.eu-west-1.amazonaws.com',
    ])
  } finally {
    globalThis.fetch = own
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
    Object.assign(process.env, before)
    await rm(folder, { recursive: true, force: true })
  }
})

test.run()
