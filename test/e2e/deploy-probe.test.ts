import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Cloud, startCloud } from '../../cli/cloud/cloud.ts'
import { type DeployHome, deployHome } from '../support/deploy-home.ts'
import { freePort } from '../support/free-port.ts'
import { functionZip } from '../support/function-zip.ts'
import { type Moto, startMoto } from '../support/moto.ts'
import { startS3StandIn } from '../support/s3-stand-in.ts'
import { region } from '../support/stack.ts'

// What `deploy` does after the apply: here there is nothing to change, so that the bucket and the function may be the
// embedded cloud's, under the state of a stack.

interface Context extends DeployHome {
  cloud: Cloud
  /** S3's events reach the function. */
  flow: boolean
}

const test = suite<Context>("deploy's test session")
const moto = await startMoto()
const { endpoint } = moto ?? ({ endpoint: '' } as Moto)

test.before.each(async context => {
  context.flow = true
  const cloud = await startCloud({
    functionZip: functionZip(),
    node: join(import.meta.dir, '../../node_modules/node/bin/node'),
    regions: [region],
    allowPrivate: true,
    onEvent: deliver => context.flow && deliver(),
  })
  Object.assign(context, { cloud, ...(await deployHome(endpoint, 'probed')) })
  const { home, folder, name } = context
  await mkdir(folder, { recursive: true })
  const outputs = {
    buckets: { value: { [region]: cloud.buckets.get(region) } },
    functions: { value: { [region]: { name, log_group: `/aws/lambda/${name}` } } },
  }
  await writeFile(
    join(folder, 'terraform.tfstate'),
    JSON.stringify({ version: 4, outputs, resources: [{ region }] }),
  )
  Object.assign(home.environment, {
    AWS_ENDPOINT_URL_S3: cloud.endpoint,
    AWS_ACCESS_KEY_ID: cloud.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: cloud.credentials.secretAccessKey,
    LAMBDA_NAT_PROXY_DEPLOYMENT_PROBE: '',
    LAMBDA_NAT_PROXY_FLEET_TRIGGER: 's3',
  })
})
test.after.each(async ({ cloud, home }) => {
  await cloud.close()
  await home.remove()
})
test.after(() => moto?.close())

const deploy = (
  { home, cloud }: Context,
  { stun = cloud.stunServers.join(','), more = [] as string[] } = {},
) => home.run('deploy', '--yes', '--stun', stun, ...more)

test('it passes: the exit is told, and what is next', async context => {
  const { code, said } = await deploy(context)
  assert.is(code, 0, said)
  assert.match(said, `Testing a session in ${region}`)
  assert.match(said, new RegExp(`Exit 127.0.0.1 in ${region} was ready after`))
  assert.match(said, 'lambda-nat-proxy run')
})

test('it fails where no event comes: the reason is told, and the exit code is 1', async context => {
  context.flow = false
  context.home.environment.LAMBDA_NAT_PROXY_FLEET_ANSWER_TIMEOUT = '7s'
  const { code, said } = await deploy(context)
  assert.is(code, 1, said)
  assert.match(said, `Waiting for the function in ${region}`)
  assert.match(said, `The session in ${region} failed: the function did not answer within 7 s`)
  assert.match(said, 'it is deployed, but no session came up')
  assert.match(said, '--no-probe')
})

test('it fails where no STUN server answers', async context => {
  const { code, said } = await deploy(context, { stun: `127.0.0.1:${await freePort()}` })
  assert.is(code, 1, said)
  assert.match(said, 'no STUN server answered')
})

test('--no-probe leaves it out', async context => {
  const { code, said } = await deploy(context, { more: ['--no-probe'] })
  assert.is(code, 0, said)
  assert.not.match(said, 'Testing a session')
})

test('who may not write offers has deployed all the same', async context => {
  const s3 = await startS3StandIn(context.cloud.endpoint)
  s3.mode = 'deny'
  context.home.environment.AWS_ENDPOINT_URL_S3 = s3.endpoint
  const { code, said } = await deploy(context)
  s3.close()
  assert.is(code, 0, said)
  assert.match(said, /No session was tested in .*: .*access to the bucket .* is denied/)
})

if (moto) test.run()
