import { join } from 'node:path'
import { DeleteFunctionCommand } from '@aws-sdk/client-lambda'
import { PutBucketNotificationConfigurationCommand } from '@aws-sdk/client-s3'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Home, makeHome } from '../support/command.ts'
import { startCoturn } from '../support/coturn.ts'
import { findingsOf } from '../support/findings.ts'
import { startLocalCloud } from '../support/local-cloud.ts'
import { type Moto, startMoto } from '../support/moto.ts'
import { need } from '../support/need.ts'
import { bucketOf, motoEnvironment, putStack, region } from '../support/stack.ts'
import { putTerraform } from '../support/terraform-stand-in.ts'
import { until } from '../support/until.ts'

// NATs are told apart in the lab; here it is the rest: the account, the deployment, the clock, and an exit.

const test = suite<{ home: Home; name: string }>('lambda-nat-proxy doctor')
const moto = await startMoto()
const { endpoint } = moto ?? ({ endpoint: '' } as Moto)
let stacks = 0

test.before.each(async context => {
  context.home = await makeHome(motoEnvironment(endpoint))
  context.home.environment.TMPDIR = context.home.folder
  context.name = `doctor-proxy-${++stacks}`
})
test.after.each(({ home }) => home.remove())
test.after(() => moto?.close())

/** Its exit code, and its findings by name. */
async function doctor(home: Home, ...args: string[]) {
  const { code, stdout, said } = await home.run('doctor', '--json', ...args)
  return { code, find: findingsOf(code, stdout || said) }
}

/** Runs a story with the name of a STUN server that tells how a NAT maps. */
async function withCoturn<T>(home: Home, story: (server: string) => Promise<T>): Promise<T> {
  const server = await startCoturn(home.folder, ['127.0.0.1', '127.0.0.2'])
  try {
    return await story(server.address)
  } finally {
    await server.close()
  }
}

test('with the embedded cloud all is tried, and works', async ({ home }) => {
  const { code, find } = await doctor(home, '--local')
  assert.is(code, 0)
  for (const name of ['region', 'credentials', 'terraform', 'deployment', 'bucket', 'clock'])
    assert.is(find(name).status, 'skip')
  assert.is(find('udp').status, 'ok')
  const { status, facts } = find('punch')
  assert.is(status, 'ok')
  assert.equal([facts?.region, facts?.address], ['local-1', '127.0.0.1'])
  assert.equal(Object.keys(facts?.steps as object), ['stun', 'offer', 'answer', 'punch', 'quic', 'hello'])
  assert.ok((find('latency').facts?.samples as number) > 0)
  // Only the native engine tells.
  for (const name of ['path mtu', 'ecn'])
    assert.is(
      find(name).status,
      (facts!.engines as { client: string }).client.startsWith('native') ? 'ok' : 'skip',
    )
  for (const way of ['download', 'upload'])
    assert.ok((find('throughput').facts![way] as { bytes: number }).bytes > 0)
  assert.equal(home.leftovers(), [])
})

test('through an account of AWS’s an exit is launched, and ended', async ({ home }) => {
  const { cloud, bucket, region, ...local } = await startLocalCloud()
  try {
    home.environment.AWS_ENDPOINT_URL_S3 = cloud.endpoint
    home.environment.AWS_ACCESS_KEY_ID = cloud.credentials.accessKeyId
    home.environment.AWS_SECRET_ACCESS_KEY = cloud.credentials.secretAccessKey
    const target = ['--bucket', bucket, '--region', region, '--stun', cloud.stunServers.join(',')]
    const { code, find } = await doctor(home, ...target)
    assert.is(code, 0)
    assert.is(find('credentials').facts?.account, '123456789012')
    assert.is(find('deployment').status, 'skip')
    assert.is(find('clock').status, 'ok')
    assert.is(find('punch').status, 'ok')
    await local.logged('ended')
    assert.equal(await local.keys(), [])
  } finally {
    await local.close()
  }
})

test('a whole stack is found, and what is wrong with it', async ({ home, name }) => {
  if (!need(['coturn'], ['turnserver'])) return
  const { s3, lambda } = await putStack(endpoint, name)
  await putTerraform(join(home.folder, 'bin'))
  home.environment.PATH += `:${join(home.folder, 'bin')}`
  await withCoturn(home, async stun => {
    const look = () => doctor(home, '--no-punch', '--name', name, '--stun', stun)
    const whole = await look()
    assert.is(whole.code, 0)
    assert.match(whole.find('deployment').message, `${name} in ${region}, nodejs22.x, 256 MB`)
    assert.match(whole.find('bucket').message, bucketOf(name))
    assert.match(whole.find('terraform').message, 'Terraform 1.11.4')
    assert.is(whole.find('clock').status, 'ok')
    assert.is(whole.find('nat mapping').facts?.testedWith, stun)
    assert.is(whole.find('nat filtering').facts?.filtering, 'endpoint-independent')
    assert.is(whole.find('nat').facts?.kind, 'none')

    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: bucketOf(name),
        NotificationConfiguration: {},
      }),
    )
    const deaf = await look()
    assert.is(deaf.code, 1)
    assert.is(deaf.find('bucket').status, 'fail')
    assert.match(deaf.find('bucket').hint!, 'lambda-nat-proxy deploy')

    await lambda.send(new DeleteFunctionCommand({ FunctionName: name }))
    const headless = await look()
    assert.is(headless.find('deployment').status, 'fail')
    assert.is(headless.find('bucket').status, 'skip')
  })
})

test('with nothing deployed, and without Terraform, it says how to get there', async ({ home, name }) => {
  const { code, find } = await doctor(home, '--name', name, '--stun', '127.0.0.1:9')
  assert.is(code, 1)
  assert.is(find('credentials').status, 'ok')
  assert.is(find('terraform').status, 'warn')
  assert.match(find('terraform').hint!, 'https://')
  assert.is(find('deployment').status, 'fail')
  assert.match(find('deployment').hint!, 'lambda-nat-proxy deploy')
  assert.is(find('udp').status, 'fail')
  assert.is(find('punch').status, 'skip')
})

test('without region, credentials, or a name that is found, each is told by itself', async ({ home }) => {
  Object.assign(home.environment, { AWS_ACCESS_KEY_ID: '', AWS_REGION: '' })
  const { code, find } = await doctor(home, '--no-punch', '--stun', 'no-such-name.invalid')
  assert.is(code, 1)
  assert.is(find('region').code, 'E_REGION_MISSING')
  assert.match(find('region').hint!, '--regions')
  assert.match(find('credentials').message, 'no AWS credentials were found')
  assert.match(find('credentials').hint!, 'AWS_PROFILE')
  assert.is(find('deployment').message, 'needs region')
  assert.match(find('stun no-such-name.invalid:3478').message, 'has a name that is not found')
  assert.match(find('udp').hint!, 'Connect to a network')
})

test('a clock that is ten minutes off is a failure', async ({ home }) => {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () =>
      new Response(null, {
        status: 403,
        headers: { date: new Date(Date.now() - 600_000).toUTCString() },
      }),
  })
  try {
    home.environment.AWS_ENDPOINT_URL_S3 = `http://127.0.0.1:${server.port}`
    const { code, find } = await doctor(home, '--no-punch', '--stun', '127.0.0.1:9')
    assert.is(code, 1)
    const { status, message, hint } = find('clock')
    assert.is(status, 'fail')
    assert.match(message, /^(59\d|60\d) s ahead/)
    assert.match(hint!, 'NTP')
  } finally {
    await server.stop(true)
  }
})

test('a person gets a page, and the verdict at its end', async ({ home }) => {
  const { code, stdout } = await home.run('doctor', '--local')
  assert.is(code, 0)
  assert.match(stdout, /^skip +credentials +not needed with --local$/m)
  assert.match(stdout, /^ok +punch +reached 127\.0\.0\.1 in local-1 after/m)
  assert.match(stdout, /\n\nThis works here\.\n$/)
  for (const line of stdout.split('\n')) assert.ok(line.length <= 110, line)
  const blocked = await home.run('doctor', '--local', '--no-punch', '--stun', '127.0.0.1:9')
  assert.is(blocked.code, 1)
  assert.match(blocked.said, /→ Allow outgoing UDP.*This does not work here yet: see udp\./)
})

test('its exit codes are in its help, and wrong usage is one of them', async ({ home }) => {
  assert.match((await home.run('doctor', '--help')).said, 'EXIT CODES 0 nothing failed 1 a check failed')
  for (const [args, word] of [
    [['--stun', 'a b'], '--stun a b'],
    [['--local', '--bucket', 'mine'], '--bucket'],
    [['--local', '--mode', 'huge'], '--mode'],
  ] as const) {
    const { code, said } = await home.run('doctor', ...args)
    assert.is(code, 2, said)
    assert.match(said, word)
  }
})

test('Ctrl-C calls it off with 130, and ends what it launched', async ({ home }) => {
  const running = home.start('doctor', '--local')
  // Latency is measured by then, and throughput takes seconds.
  await until(() => running.said().includes('reached 127'), 'an exit')
  running.process.kill('SIGINT')
  const { code, said } = await running.end
  assert.is(code, 130, said)
  assert.equal(home.leftovers(), [])
})

if (moto) test.run()
