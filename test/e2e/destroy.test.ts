import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type DeployHome, deployHome } from '../support/deploy-home.ts'
import { type Moto, startMoto } from '../support/moto.ts'
import { bucketOf, putStack, region } from '../support/stack.ts'

// With a stand-in for Terraform, as the test of deploy.

const test = suite<DeployHome>('lambda-nat-proxy destroy')
const moto = await startMoto()
const { endpoint } = moto ?? ({ endpoint: '' } as Moto)
let stacks = 0

test.before.each(async context => {
  Object.assign(context, await deployHome(endpoint, `doomed-${++stacks}`))
})
test.after.each(({ home }) => home.remove())
test.after(() => moto?.close())

test('it shows what goes, and all goes: in AWS, and the state', async ({ home, name, folder }) => {
  await home.run('deploy', '--yes')
  const { code, said } = await home.run('destroy', '--yes')
  assert.is(code, 0, said)
  assert.match(said, `- aws_lambda_function.exit["${region}"]`)
  assert.match(said, `Destroyed ${name}`)
  assert.not(existsSync(folder))
  assert.is((await home.run('status')).code, 5)
})

test('on a terminal it asks, and no is exit code 3', async ({ home }) => {
  await home.run('deploy', '--yes')
  const no = await home.onTerminal('This cannot be undone', 'n\r', 'destroy')
  assert.is(no.code, 3, no.said)
  assert.match(no.said, 'Nothing was destroyed')
  assert.is((await home.run('status')).code, 0)
})

test('with no terminal and no --yes it refuses, and --plan only shows', async ({ home, folder }) => {
  await home.run('deploy', '--yes')
  assert.is((await home.run('destroy')).code, 2)
  // It needs no function: an executable may lack the one for this processor.
  await rm(join(folder, 'function.zip'))
  const plan = await home.run('destroy', '--plan')
  assert.is(plan.code, 0)
  assert.match(plan.said, '1 to destroy')
  assert.not(existsSync(join(folder, 'function.zip')))
  assert.is((await home.run('status')).code, 0)
})

test('regions that the settings no longer name go, too', async ({ home }) => {
  await home.run('deploy', '--yes', '--regions', `${region},us-east-1`)
  const { code, said } = await home.run('destroy', '--yes', '--regions', region)
  assert.is(code, 0, said)
  assert.is((await home.run('status', '--regions', 'us-east-1')).code, 5)
})

test('what is not there is nothing to destroy', async ({ home, name }) => {
  const { code, said } = await home.run('destroy', '--yes')
  assert.is(code, 0)
  assert.match(said, 'Nothing to destroy')
  assert.match(said, name)
})

test('a state that cannot be read is not taken for one of another machine', async ({
  home,
  name,
  folder,
}) => {
  await putStack(endpoint, name)
  await mkdir(join(folder, 'terraform.tfstate'), { recursive: true })
  const { code, said } = await home.run('destroy', '--yes')
  assert.is(code, 1)
  assert.not.match(said, 'not on this machine')
  assert.match(said, 'Terraform plan failed')
})

test('what another machine deployed is told, and left alone', async ({ home, name }) => {
  const { s3 } = await putStack(endpoint, name)
  await s3.send(new PutObjectCommand({ Bucket: bucketOf(name), Key: 'sessions/a/offer.json', Body: '{}' }))
  const { code, said } = await home.run('destroy', '--yes')
  assert.is(code, 1)
  assert.match(said, 'not on this machine')
  assert.match(said, '--backend-config')
  assert.is((await home.run('status')).code, 0)
})

if (moto) test.run()
