import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { strToU8, zipSync } from 'fflate'
import * as assert from 'uvu/assert'
import type { S3Event } from '../../cli/cloud/s3-event.ts'
import { UsageError } from '../../cli/input/usage-error.ts'
import { inWords } from '../../cli/output/advice.ts'
import { failure, putIn, report, runnerSuite, zipOf } from '../support/function-runner.ts'
import { until } from '../support/until.ts'

const test = runnerSuite('function runner')

test('an offer in S3 starts the function of its region, with the event that Lambda would get', async ({
  start,
  logs,
}) => {
  const echo =
    'exports.handler = async (event, context) => console.log(JSON.stringify({ message: "event", event, arn: context.invokedFunctionArn }))'
  const cloud = await start({ functionZip: Promise.resolve(zipOf(echo)), regions: ['local-1', 'local-2'] })
  const folder = 'sessions/abcdefghij0123456789'
  await putIn(cloud, 'local-2', `${folder}/answer.json`, `${folder}/offer.json`)
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

test.run()
