import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { strToU8, zipSync } from 'fflate'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Cloud, type CloudOptions, startCloud } from '../../cli/cloud/cloud.ts'
import { CloudError, maxProcesses } from '../../cli/cloud/errors.ts'
import type { LogRecord } from '../../cli/cloud/log.ts'
import type { S3Event } from '../../cli/cloud/s3-event.ts'
import { UsageError } from '../../cli/input/usage-error.ts'
import { inWords } from '../../cli/output/advice.ts'
import { runs } from '../support/runs.ts'
import { until } from '../support/until.ts'

const node = join(import.meta.dir, '../../node_modules/node/bin/node')

/** A function that does what its event says. */
const source = `
let events = 0
exports.handler = async (event, context) => {
  events += 1
  switch (event.do) {
    case 'throw': throw new TypeError('as the event said')
    case 'exit': process.exit(7)
    case 'hang': console.log('hanging'); return new Promise(() => setInterval(() => {}, 1000))
    case 'block': for (;;) {}
    case 'print': console.log(JSON.stringify({ level: 'DEBUG', message: 'in JSON', session: 's' })); console.log('{plain'); console.error('wrong'); return
    default: return {
      event, events, pid: process.pid, version: process.version, env: process.env,
      context: { ...context, remaining: context.getRemainingTimeInMillis() },
    }
  }
}`
const zipOf = (text: string) => zipSync({ 'index.js': strToU8(text), 'folder/data.txt': strToU8('data') })

interface Report {
  event: unknown
  events: number
  pid: number
  version: string
  env: Record<string, string>
  context: Record<string, unknown>
}

interface Context {
  start: (options?: Partial<CloudOptions>) => Promise<Cloud>
  clouds: Cloud[]
  logs: LogRecord[]
}

const test = suite<Context>('function runner')

test.before.each(context => {
  context.logs = []
  context.clouds = []
  context.start = async options => {
    const onLog = (record: LogRecord) => context.logs.push(record)
    const cloud = await startCloud({ functionZip: zipOf(source), node, prewarm: 0, onLog, ...options })
    context.clouds.push(cloud)
    return cloud
  }
})

test.after.each(async ({ clouds }) => {
  await Promise.all(clouds.map(cloud => cloud.close()))
})

async function report(cloud: Cloud, event: unknown = {}, region?: string): Promise<Report> {
  const outcome = await cloud.deliver(event, region)
  if (outcome.status !== 'success') throw new Error(outcome.error.errorMessage)
  return outcome.result as Report
}

async function failure(cloud: Cloud, event: unknown, region?: string) {
  const outcome = await cloud.deliver(event, region)
  if (outcome.status === 'success') throw new Error('the event was to fail')
  return { status: outcome.status, pid: outcome.pid, ...outcome.error }
}

test('an offer in S3 starts the function of its region, with the event that Lambda would get', async ({
  start,
  logs,
}) => {
  const echo =
    'exports.handler = async (event, context) => console.log(JSON.stringify({ message: "event", event, arn: context.invokedFunctionArn }))'
  const cloud = await start({ functionZip: Promise.resolve(zipOf(echo)), regions: ['local-1', 'local-2'] })
  const client = new S3Client({
    endpoint: cloud.endpoint,
    forcePathStyle: true,
    region: 'local-2',
    credentials: cloud.credentials,
  })
  const Bucket = cloud.buckets.get('local-2')
  await client.send(
    new PutObjectCommand({ Bucket, Key: 'sessions/abcdefghij0123456789/answer.json', Body: '{}' }),
  )
  await client.send(
    new PutObjectCommand({ Bucket, Key: 'sessions/abcdefghij0123456789/offer.json', Body: '{}' }),
  )
  client.destroy()
  await until(() => logs.some(({ message }) => message === 'platform.report'), 'the end of the invocation')

  const [record, ...others] = logs.filter(({ message }) => message === 'event')
  assert.ok(record)
  assert.is(others.length, 0)
  assert.is(record.region, 'local-2')
  assert.is(record.arn, 'arn:aws:lambda:local-2:123456789012:function:lambda-nat-proxy-local-2')
  const { awsRegion, s3 } = (record.event as S3Event).Records[0]!
  assert.equal(
    [awsRegion, s3.bucket.name, s3.object.key],
    ['local-2', 'lambda-nat-proxy-local-2', 'sessions/abcdefghij0123456789/offer.json'],
  )
  assert.equal(
    cloud.processes().map(({ region, session, invocations }) => ({ region, session, invocations })),
    [{ region: 'local-2', session: 'abcdefghij0123456789', invocations: 1 }],
  )
})

test("the function sees Lambda's context and environment, and nothing of the user's but PATH", async ({
  start,
}) => {
  process.env.A_SECRET_OF_THE_USER = 'secret'
  const cloud = await start({
    mode: 'test',
    allowPrivate: true,
    logLevel: 'DEBUG',
    stunServers: ['192.0.2.1:3478'],
  })
  delete process.env.A_SECRET_OF_THE_USER
  const { event, env, context, version } = await report(cloud, { some: ['thing'] })
  assert.equal(event, { some: ['thing'] })
  assert.match(version, /^v24\./)
  assert.is(context.memoryLimitInMB, '128')
  assert.match(String(context.awsRequestId), /^[0-9a-f-]{36}$/)
  assert.is(context.functionName, 'lambda-nat-proxy-local-1')
  assert.ok(Number(context.remaining) > 60_000 && Number(context.remaining) <= 120_000)
  assert.is(env.AWS_REGION, 'local-1')
  assert.is(env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE, '128')
  assert.is(env.AWS_LAMBDA_LOG_LEVEL, 'DEBUG')
  assert.is(env.AWS_ENDPOINT_URL, cloud.endpoint)
  assert.is(env.AWS_ACCESS_KEY_ID, cloud.credentials.accessKeyId)
  assert.is(env.STUN_SERVERS, '192.0.2.1:3478')
  assert.is(env.MODE, 'test')
  assert.is(env.ALLOW_PRIVATE, 'true')
  assert.ok(existsSync(join(env.LAMBDA_TASK_ROOT!, 'folder/data.txt')))
  // NODE_ stands for the IPC channel's and the deployed NODE_OPTIONS.
  const ours = /^(AWS_|NODE_|LAMBDA_TASK_ROOT$|_HANDLER$|STUN_SERVERS$|MODE$|ALLOW_PRIVATE$|PATH$)/
  assert.equal(
    Object.keys(env).filter(name => !ours.test(name)),
    [],
  )
})

test('a process that is idle handles the next event; events at the same time get a process each', async ({
  start,
}) => {
  const cloud = await start()
  const first = await report(cloud)
  const second = await report(cloud)
  assert.is(second.pid, first.pid)
  assert.is(second.events, 2)
  const both = await Promise.all([report(cloud), report(cloud)])
  assert.is(new Set(both.map(({ pid }) => pid)).size, 2)
})

test('a process that was started ahead takes the first event', async ({ start }) => {
  const cloud = await start({ prewarm: 1 })
  const [ahead] = cloud.processes()
  assert.is((await report(cloud)).pid, ahead?.pid)
})

for (const way of ['hang', 'block'])
  test(`a handler that would ${way} is killed at the deadline, and the log says so`, async ({
    start,
    logs,
  }) => {
    const cloud = await start({ timeoutMs: 300 })
    const { status, errorType, errorMessage, pid } = await failure(cloud, { do: way })
    assert.is(status, 'timeout')
    assert.is(errorType, 'Sandbox.Timedout')
    assert.is(errorMessage, 'Task timed out after 0.30 seconds')
    await until(() => !runs(pid), 'the end of the process')
    assert.ok(logs.some(({ level, message }) => level === 'ERROR' && message === errorMessage))
    assert.is(logs.find(({ message }) => message === 'platform.report')?.status, 'timeout')
  })

test('an error of the handler is reported, and its process goes on', async ({ start, logs }) => {
  const cloud = await start()
  const { status, errorType, errorMessage, stackTrace, pid } = await failure(cloud, { do: 'throw' })
  assert.equal([status, errorType, errorMessage], ['error', 'TypeError', 'as the event said'])
  assert.match(String(stackTrace), 'index.js')
  assert.ok(
    logs.some(({ level, message, requestId }) => level === 'ERROR' && message === errorMessage && requestId),
  )
  assert.is((await report(cloud)).pid, pid)
})

test('a process that ends, or is killed, in the middle of an event is an error, and the next event gets another', async ({
  start,
  logs,
}) => {
  const cloud = await start()
  const exit = await failure(cloud, { do: 'exit' })
  assert.equal(
    [exit.errorType, exit.errorMessage],
    ['Runtime.ExitError', 'the process ended with exit code 7'],
  )

  const killed = failure(cloud, { do: 'hang' })
  await until(() => logs.some(({ message }) => message === 'hanging'), 'the handler')
  const [process] = cloud.processes()
  assert.is(process?.state, 'busy')
  assert.ok(cloud.kill(process!.pid))
  assert.is((await killed).errorMessage, 'the process ended by SIGKILL')
  assert.not(cloud.kill(process!.pid))
  assert.is((await report(cloud)).events, 1)
})

test('a function that cannot be loaded says why', async ({ start }) => {
  for (const [text, message] of [
    ['throw new Error("at load")', /^at load$/],
    ['exports.other = 1', /index\.handler is not a function/],
    ['exports.handler = (', /Unexpected/],
  ] as const) {
    const cloud = await start({ functionZip: zipOf(text) })
    assert.match((await failure(cloud, {})).errorMessage, message)
    await until(() => cloud.processes().length === 0, 'the end of the process')
  }
})

test('JSON lines of the function are records, other lines are their message', async ({ start, logs }) => {
  const cloud = await start()
  const { pid, requestId } = await cloud.deliver({ do: 'print' })
  await until(() => logs.length === 4, 'the log')
  const of = (message: string) => logs.find(record => record.message === message)
  assert.is(of('in JSON')?.level, 'DEBUG')
  assert.is(of('in JSON')?.session, 's')
  assert.is(of('{plain')?.level, 'INFO')
  assert.is(of('wrong')?.level, 'ERROR')
  for (const record of logs)
    assert.equal([record.pid, record.requestId, record.region], [pid, requestId, 'local-1'])
})

test('no more than so many processes run at once, in all regions together, and the log says so', async ({
  start,
  logs,
}) => {
  const cloud = await start({ regions: ['local-1', 'local-2'], prewarm: maxProcesses })
  assert.is(cloud.processes().length, maxProcesses)
  const busy = cloud.processes().map(({ region }) => failure(cloud, { do: 'hang' }, region))
  const error = await cloud.deliver({}, 'local-2').catch(error => error)
  assert.is(error.code, 'E_FUNCTION_PROCESSES_FULL')

  const client = new S3Client({
    endpoint: cloud.endpoint,
    forcePathStyle: true,
    region: 'local-1',
    credentials: cloud.credentials,
  })
  const Bucket = cloud.buckets.get('local-1')
  await client.send(new PutObjectCommand({ Bucket, Key: 'sessions/abc/offer.json', Body: '{}' }))
  client.destroy()
  await until(() => logs.some(({ code }) => code === 'E_FUNCTION_PROCESSES_FULL'), 'the line in the log')
  assert.is(cloud.processes().length, maxProcesses)
  for (const { pid } of cloud.processes()) cloud.kill(pid)
  await Promise.all(busy)
})

test('an idle process ends after its time', async ({ start }) => {
  const cloud = await start({ idleMs: 50 })
  const { pid } = await report(cloud)
  await until(() => !runs(pid) && cloud.processes().length === 0, 'the end of the idle process')
})

test('close ends every process, busy or idle, and removes the folder; it may be called twice', async ({
  start,
  logs,
}) => {
  const cloud = await start({ prewarm: 2 })
  const { env } = await report(cloud)
  const busy = failure(cloud, { do: 'block' })
  const other = failure(cloud, { do: 'hang' })
  await until(() => logs.some(({ message }) => message === 'hanging'), 'the handler')
  const pids = cloud.processes().map(({ pid }) => pid)
  assert.is(pids.length, 2)
  await Promise.all([cloud.close(), cloud.close()])
  assert.equal(pids.filter(runs), [])
  assert.not(existsSync(join(env.LAMBDA_TASK_ROOT!, '..')))
  for (const { errorType } of [await busy, await other]) assert.is(errorType, 'Runtime.ExitError')
  assert.is(await cloud.deliver({}).catch(error => error.message), 'the embedded cloud is closed')
})

test('without Node the function runs on Bun; what is no Node is refused by name', async ({ start }) => {
  const { PATH } = process.env
  process.env.PATH = import.meta.dir
  try {
    const { version } = await report(await start({ node: undefined }))
    assert.is(version, process.version)
  } finally {
    process.env.PATH = PATH
  }
  for (const program of [join(import.meta.dir, 'none'), '/bin/true']) {
    const error = await start({ node: program }).catch(error => error)
    assert.instance(error, CloudError)
    assert.match(error.message, program)
    assert.match(error.message, '--node')
  }
})

test('a command may stand before the runtime, and a wrong one is the error of the event', async ({
  start,
}) => {
  const cloud = await start({ command: ['env', 'STOOD_BEFORE=true'] })
  assert.is((await report(cloud)).env.STOOD_BEFORE, 'true')
  const wrong = await start({ command: [join(import.meta.dir, 'none')] })
  assert.is((await failure(wrong, {})).errorType, 'Runtime.InvalidEntrypoint')
})

test('a bad option is refused with what to give instead', async ({ start }) => {
  for (const [options, message] of [
    [{ host: 'example' }, '--host'],
    [{ host: '192.0.2.1' }, '--host'],
    [{ regions: [] }, '--regions'],
    [{ regions: ['local-1', 'local-1'] }, '--regions'],
    [{ regions: ['../up'] }, '../up'],
    [{ functionZip: strToU8('no zip') }, 'zip cannot be read'],
    [{ functionZip: zipSync({ '../up.js': strToU8('') }) }, '../up.js'],
  ] as const) {
    const error = await start(options).catch(error => error)
    assert.instance(error, UsageError, message)
    assert.match(inWords(error).join(), message)
  }
})

test('a start that is called off while the function is still being built waits for nothing', async () => {
  const stop = new AbortController()
  const starting = startCloud({ functionZip: new Promise(() => {}), signal: stop.signal })
  const reason = new Error('called off')
  stop.abort(reason)
  assert.is(await starting.catch(error => error), reason)
})

test('a program that cannot be run is given up without harm to whoever asked for it', async () => {
  const script = `
    import { startProcess } from ${JSON.stringify(join(import.meta.dir, '../../cli/cloud/process.ts'))}
    const process = startProcess({ command: ['/no/such/program'], cwd: '.', environment: {}, onLine() {} })
    process.kill()
    await process.ended
    console.log((await process.loaded).error.errorType)`
  // In a process group of its own: that is what would be killed.
  const requester = spawn(process.execPath, ['-e', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  assert.is((await text(requester.stdout)).trim(), 'Runtime.InvalidEntrypoint')
})

test.run()
