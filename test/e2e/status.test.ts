import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch'
import { DeleteFunctionCommand, DeleteFunctionEventInvokeConfigCommand } from '@aws-sdk/client-lambda'
import {
  DeleteBucketCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { Ledger } from '../../cli/client/ledger/ledger.ts'
import { dayOf } from '../../cli/client/ledger/period.ts'
import { type Home, makeHome } from '../support/command.ts'
import { type Moto, startMoto } from '../support/moto.ts'
import { bucketOf, credentials, motoEnvironment, putLog, putStack, region } from '../support/stack.ts'

const test = suite<{ home: Home; name: string }>('lambda-nat-proxy status')
const moto = await startMoto()
const { endpoint } = moto ?? ({ endpoint: '' } as Moto)
let stacks = 0

test.before.each(async context => {
  context.home = await makeHome(motoEnvironment(endpoint))
  // Each test has a stack of its own in the one AWS.
  context.name = `team-proxy-${++stacks}`
})
test.after.each(({ home }) => home.remove())
test.after(() => moto?.close())

const status = (home: Home, name: string, ...args: string[]) => home.run('status', '--name', name, ...args)

/** What the one region has to complain of, when it is degraded. */
async function problems(home: Home, name: string): Promise<string[]> {
  const { code, stdout, said } = await status(home, name, '--json')
  assert.is(code, 4, said)
  const report = JSON.parse(stdout)
  assert.is(report.health, 'DEGRADED')
  return report.regions[0].problems.map(
    (problem: { code: string; message: string; hint: string }) =>
      `${problem.code} ${problem.message}: ${problem.hint}`,
  )
}

test('a whole stack, found by its tag, is HEALTHY, with exit code 0', async ({ home, name }) => {
  const { s3 } = await putStack(endpoint, name)
  await s3.send(new PutObjectCommand({ Bucket: bucketOf(name), Key: 'sessions/a/offer.json', Body: '{}' }))
  const json = await status(home, name, '--json')
  assert.is(json.code, 0, json.said)
  const report = JSON.parse(json.stdout)
  assert.is(report.health, 'HEALTHY')
  const [{ function: itsFunction, bucket, recent }] = report.regions
  assert.is(itsFunction.name, name)
  assert.equal(
    [itsFunction.state, itsFunction.runtime, itsFunction.memoryMb, itsFunction.timeoutS],
    ['Active', 'nodejs22.x', 256, 600],
  )
  assert.ok(itsFunction.codeBytes > 0 && Date.parse(itsFunction.lastModified) > 0)
  assert.is(bucket.objects, 1)
  assert.ok(Math.abs(Date.parse(bucket.lastActivity) - Date.now()) < 60_000)
  assert.equal(bucket.notifies, [itsFunction.arn])
  assert.equal(recent, { hours: 24, invocations: 0, errors: 0, throttles: 0 })

  assert.equal(parse((await status(home, name, '--yaml')).stdout), report)
  const table = (await status(home, name)).said
  for (const words of [
    `Stack ${name}: HEALTHY`,
    `bucket ${bucketOf(name)}, 1 object,`,
    'notification in place',
  ])
    assert.match(table, words)
})

test('what this machine has spent is told, and how much of the budget that is', async ({ home, name }) => {
  await putStack(endpoint, name)
  const nothing = JSON.parse((await status(home, name, '--json')).stdout)
  assert.equal(nothing.spend, { today: 0, month: 0 })
  const folder = join(home.folder, 'state')
  Object.assign(home.environment, { XDG_STATE_HOME: folder, LAMBDA_NAT_PROXY_FLEET_BUDGET: '5/month' })
  const ledger = new Ledger(join(folder, 'lambda-nat-proxy/usage.db'))
  ledger.addSpend(dayOf(Date.now()), 2)
  ledger.close()
  const { spend } = JSON.parse((await status(home, name, '--json')).stdout)
  assert.equal(spend, { today: 2, month: 2, budget: { dollars: 5, period: 'month' } })
  const { said } = await status(home, name)
  assert.match(said, '$2.00 today, $2.00 this month (UTC); 40 % of the budget of $5.00 a month')
})

/** As `deploy` leaves it on this machine. */
async function writeState(home: Home, name: string): Promise<void> {
  const folder = join(home.folder, 'home/.local/state/lambda-nat-proxy', name)
  await mkdir(folder, { recursive: true })
  const outputs = {
    buckets: { value: { [region]: bucketOf(name) } },
    functions: { value: { [region]: { name, arn: '', log_group: '' } } },
  }
  await writeFile(join(folder, 'terraform.tfstate'), JSON.stringify({ version: 4, outputs }))
}

test('what is not there is NOT DEPLOYED, with exit code 5 and what to do', async ({ home, name }) => {
  const { code, said } = await status(home, name)
  assert.is(code, 5)
  for (const words of ['NOT DEPLOYED', name, region, 'lambda-nat-proxy deploy']) assert.match(said, words)
  const report = JSON.parse((await status(home, name, '--json')).stdout)
  assert.is(report.health, 'NOT DEPLOYED')
  const [problem] = report.regions[0].problems
  assert.is(problem.code, 'E_NOT_DEPLOYED')
  assert.match(problem.hint, 'lambda-nat-proxy deploy')
})

test('where it is in another region than the one that is asked about, that is said', async ({
  home,
  name,
}) => {
  await writeState(home, name)
  const { code, said } = await status(home, name, '--regions', 'us-east-1')
  assert.is(code, 5)
  assert.match(said, `in region us-east-1 (it is in ${region})`)
  // It is in the state, but somebody has removed it.
  assert.not.match((await status(home, name)).said, 'it is in')
})

test('a bucket that was removed by hand is DEGRADED, by tag and by state', async ({ home, name }) => {
  const { s3 } = await putStack(endpoint, name)
  await s3.send(new DeleteBucketCommand({ Bucket: bucketOf(name) }))
  assert.match((await problems(home, name)).join(), /E_BUCKET_MISSING the bucket .*is gone.*deploy/)

  await writeState(home, name)
  assert.match((await problems(home, name)).join(), bucketOf(name))
})

test('a function that was removed by hand is DEGRADED', async ({ home, name }) => {
  const { lambda } = await putStack(endpoint, name)
  await lambda.send(new DeleteFunctionCommand({ FunctionName: name }))
  assert.match((await problems(home, name)).join(), /function .*is gone/)
})

test('a stack that would not answer an offer is DEGRADED, and says each reason', async ({ home, name }) => {
  const { s3, lambda } = await putStack(endpoint, name)
  await s3.send(
    new PutBucketNotificationConfigurationCommand({ Bucket: bucketOf(name), NotificationConfiguration: {} }),
  )
  await lambda.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName: name }))
  const said = (await problems(home, name)).join()
  for (const words of ['does not notify', 'run again by itself']) assert.match(said, words)
})

test('invocations are counted, and many that fail make it DEGRADED', async ({ home, name }) => {
  await putStack(endpoint, name)
  const cloudWatch = new CloudWatchClient({ endpoint, region, credentials })
  const Timestamp = new Date(Date.now() - 3_600_000)
  const Dimensions = [{ Name: 'FunctionName', Value: name }]
  const datum = (MetricName: string, Value: number) => ({ MetricName, Value, Timestamp, Dimensions })
  await cloudWatch.send(
    new PutMetricDataCommand({
      Namespace: 'AWS/Lambda',
      MetricData: [datum('Invocations', 7), datum('Invocations', 5), datum('Errors', 11)],
    }),
  )
  assert.match((await problems(home, name)).join(), '11 of 12 invocations')
})

test("--logs shows the function's lines", async ({ home, name }) => {
  await putStack(endpoint, name)
  assert.match((await status(home, name, '--logs')).said, 'log: nothing in the last day')
  await putLog(endpoint, name, 'the answer is written\nof somebody \u009b2J\u202e')
  assert.match((await status(home, name, '--logs')).said, 'the answer is written of somebody \ufffd2J\ufffd')
  const report = JSON.parse((await status(home, name, '--logs', '--json')).stdout)
  assert.match(report.regions[0].logs[0].message, 'the answer is written\n')
})

test('each of several regions is looked at', async ({ home, name }) => {
  await putStack(endpoint, name, 'us-east-1')
  const { code, stdout } = await status(home, name, '--regions', 'us-east-1,eu-west-1', '--json')
  assert.is(code, 4)
  const healths = JSON.parse(stdout).regions.map((each: { region: string; health: string }) => [
    each.region,
    each.health,
  ])
  assert.equal(healths, [
    ['us-east-1', 'HEALTHY'],
    ['eu-west-1', 'NOT DEPLOYED'],
  ])
})

test('what keeps it from asking AWS is said, with exit code 1', async ({ home, name }) => {
  const refusal = async (changed: Record<string, string>, ...args: string[]) => {
    const before = { ...home.environment }
    Object.assign(home.environment, changed)
    const { code, said } = await status(home, name, ...args)
    home.environment = before
    assert.is(code, 1)
    return said
  }
  assert.match(await refusal({ AWS_ACCESS_KEY_ID: '' }), 'no AWS credentials were found')
  assert.match(await refusal({}, '--profile', 'none'), 'in the profile none')
  assert.match(await refusal({ AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }), 'cannot be reached')
})

test('with no region at all the answer is how to give one', async ({ home, name }) => {
  home.environment.AWS_REGION = ''
  const { code, said } = await status(home, name)
  assert.is(code, 2)
  assert.match(said, '--regions')
})

if (moto) test.run()
