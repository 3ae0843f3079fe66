import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type DeployHome, deployHome } from '../support/deploy-home.ts'
import { type Moto, startMoto } from '../support/moto.ts'
import { region } from '../support/stack.ts'
import { openStandIn } from '../terraform/engine.ts'

// The module as `deploy` lays it out, by Terraform itself; the AWS provider has a stand-in, which keeps what it makes
// in the state alone.

const test = suite<DeployHome>('deploy of the module with the real Terraform')
const engine = await openStandIn()
const moto = engine && (await startMoto())
const { endpoint } = moto ?? ({ endpoint: '' } as Moto)
const terraform = Bun.which('terraform') ?? Bun.which('tofu') ?? ''

test.before.each(async context => {
  Object.assign(context, await deployHome(endpoint, 'team-proxy'))
  Object.assign(context.home.environment, engine!.environment)
})
test.after.each(({ home }) => home.remove())
test.after(async () => {
  await engine?.close()
  await moto?.close()
})

test('it is made, left alone, changed in one region and destroyed', async ({ home, folder }) => {
  const deploy = (...more: string[]) => home.run('deploy', '--yes', '--terraform', terraform, ...more)
  const made = await deploy()
  assert.is(made.code, 0, made.said)
  assert.match(made.said, `+ aws_lambda_function.exit["${region}"]`)
  assert.match(made.said, `${region}: function team-proxy, bucket team-proxy-${region}-`)
  assert.ok((await readdir(folder)).includes('main.tf'))

  assert.match((await deploy()).said, 'There is nothing to change')

  const more = await deploy('--regions', `${region},us-east-1`)
  assert.is(more.code, 0, more.said)
  assert.match(more.said, '+ aws_lambda_function.exit["us-east-1"]')
  const { outputs } = JSON.parse(await readFile(join(folder, 'terraform.tfstate'), 'utf8'))
  assert.equal(Object.keys(outputs.buckets.value), [region, 'us-east-1'])

  const gone = await home.run('destroy', '--yes', '--terraform', terraform)
  assert.is(gone.code, 0, gone.said)
  assert.match(gone.said, `- aws_s3_bucket.signalling["us-east-1"]`)
  assert.not(existsSync(folder))
})

test('what the module refuses is told in its words, and nothing is made', async ({ home, folder }) => {
  Object.assign(home.environment, { TF_VAR_reserved_concurrency: '1' })
  const { code, said } = await home.run('deploy', '--yes', '--terraform', terraform)
  assert.is(code, 1)
  assert.match(said, 'reserved_concurrency must be at least 2')
  assert.not(existsSync(join(folder, 'terraform.tfstate')))
})

if (moto) test.run()
