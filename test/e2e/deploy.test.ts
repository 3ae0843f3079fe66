import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Home, makeHome } from '../support/command.ts'
import { type DeployHome, deployHome } from '../support/deploy-home.ts'
import { type Moto, startMoto } from '../support/moto.ts'
import { bucketOf, region } from '../support/stack.ts'
import { until } from '../support/until.ts'

// Terraform's AWS provider is some hundreds of megabytes from the network, so a stand-in has its place: it speaks the
// same commands and JSON. The module itself is tested in test/terraform/, with the real one where it is at hand.

const test = suite<DeployHome>('lambda-nat-proxy deploy')
const moto = await startMoto()
const { endpoint } = moto ?? ({ endpoint: '' } as Moto)
let stacks = 0

test.before.each(async context => {
  Object.assign(context, await deployHome(endpoint, `deployed-${++stacks}`))
})
test.after.each(({ home }) => home.remove())
test.after(() => moto?.close())

const statusOf = (home: Home) => home.run('status')

test('it shows the plan, applies that very plan and says what is next', async ({
  home,
  name,
  calls,
  folder,
}) => {
  const { code, said } = await home.run('deploy', '--yes')
  assert.is(code, 0, said)
  for (const words of [
    'account 123456789012',
    `+ aws_lambda_function.exit["${region}"]`,
    '1 to add, 0 to change, 0 to destroy',
    `bucket ${bucketOf(name)}`,
    'lambda-nat-proxy run',
    'client_policy_json',
  ])
    assert.match(said, words)
  assert.equal(
    (await calls()).map(call => call.split(' ')[0]),
    ['version', 'init', 'plan', 'apply'],
  )
  assert.match((await calls()).at(-1)!, 'plan.tfplan')
  assert.not((await readdir(folder)).includes('plan.tfplan'))
  assert.is((await statusOf(home)).code, 0)
})

test('a second one updates, and with the same settings changes nothing', async ({ home }) => {
  await home.run('deploy', '--yes')
  const same = await home.run('deploy', '--yes')
  assert.is(same.code, 0)
  assert.match(same.said, 'There is nothing to change')
  const more = await home.run('deploy', '--yes', '--regions', `${region},us-east-1`)
  assert.is(more.code, 0)
  assert.match(more.said, '1 to add')
  // What was said by option has to be said again to the next command.
  assert.match(more.said, `run --regions ${region},us-east-1`)
})

test('with no region configured it stays in the regions that it deployed to', async ({ home }) => {
  await home.run('deploy', '--yes', '--regions', 'us-east-1,eu-west-1')
  home.environment.AWS_REGION = ''
  const { code, said } = await home.run('deploy', '--yes')
  assert.is(code, 0, said)
  assert.match(said, 'There is nothing to change')
})

test('--plan stops at the plan, with exit code 0', async ({ home, calls }) => {
  const { code, said } = await home.run('deploy', '--plan', '--verbose')
  assert.is(code, 0)
  assert.match(said, '1 to add')
  assert.match(said, '# every attribute')
  assert.not((await calls()).some(call => call.startsWith('apply')))
  assert.is((await statusOf(home)).code, 5)
})

test('on a terminal it asks: no is exit code 3 and changes nothing, yes applies', async ({ home }) => {
  const no = await home.onTerminal('Apply this', 'n\r', 'deploy')
  assert.is(no.code, 3, no.said)
  assert.match(no.said, 'Nothing was changed')
  assert.is((await statusOf(home)).code, 5)
  const cancelled = await home.onTerminal('Apply this', '\x03', 'deploy')
  assert.is(cancelled.code, 130, cancelled.said)
  assert.match(cancelled.said, 'Interrupted: nothing was changed.')
  const yes = await home.onTerminal('Apply this', 'y\r', 'deploy')
  assert.is(yes.code, 0, yes.said)
  assert.is((await statusOf(home)).code, 0)
})

test('with no terminal and no --yes it refuses before anything is done', async ({ home, calls }) => {
  const { code, said } = await home.run('deploy')
  assert.is(code, 2)
  assert.match(said, '--yes')
  assert.equal(await calls(), [])
})

test('what the module is applied with comes from the settings', async ({ home, folder, name }) => {
  await home.run('deploy', '--plan', '--mode', 'test', '--stun', 'stun.example.org')
  const variables = JSON.parse(await readFile(join(folder, 'terraform.tfvars.json'), 'utf8'))
  const stun_servers = ['stun.example.org:3478']
  assert.equal(variables, { name, mode: 'test', architecture: 'x86_64', regions: [region], stun_servers })
})

test('backend settings go to init, and the state is in S3', async ({ home, folder, calls }) => {
  const settings = ['--backend-config', 'bucket=states', '--backend-config=key=proxy.tfstate']
  await home.run('deploy', '--plan', ...settings)
  const init = (await calls()).find(call => call.startsWith('init'))
  assert.match(init!, '-backend-config=bucket=states -backend-config=key=proxy.tfstate')
  assert.match(await readFile(join(folder, 'backend.tf.json'), 'utf8'), '"s3"')
})

test('a failure is told in its words and with advice, and the next run goes on from it', async ({ home }) => {
  Object.assign(home.environment, {
    STAND_IN_FAILS: 'apply',
    STAND_IN_WORDS: 'api error AccessDenied: not authorized to perform: lambda:CreateFunction',
  })
  const regions = ['--regions', `${region},us-east-1`]
  const failed = await home.run('deploy', '--yes', ...regions)
  assert.is(failed.code, 1)
  assert.match(failed.said, 'lambda:CreateFunction')
  assert.match(failed.said, 'These credentials lack a right')

  home.environment.STAND_IN_FAILS = ''
  const mended = await home.run('deploy', '--yes', ...regions)
  assert.is(mended.code, 0)
  // One of the two was made the first time.
  assert.match(mended.said, '1 to add')
})

test('a state that could not be saved is taken up by the next run', async ({ home, folder, calls }) => {
  await mkdir(folder, { recursive: true })
  const state = { version: 4, outputs: {}, resources: [{ region }] }
  await writeFile(join(folder, 'errored.tfstate'), JSON.stringify(state))
  const { code, said } = await home.run('deploy', '--plan')
  assert.is(code, 0, said)
  assert.match(said, 'There is nothing to change')
  assert.ok((await calls()).includes('state push -no-color errored.tfstate'))
  assert.not(existsSync(join(folder, 'errored.tfstate')))
})

test('Ctrl-C reaches Terraform once, is waited for, and what was made is in the state', async ({
  home,
  folder,
  calls,
}) => {
  home.environment.STAND_IN_WAITS = 'yes'
  const { process, said, end } = home.start('deploy', '--yes')
  await until(() => said().includes('so far'), 'the apply under way')
  process.kill('SIGINT')
  await until(() => said().includes('waiting for Terraform'), 'the first signal')
  process.kill('SIGINT')
  const { code } = await end
  assert.is(code, 130)
  assert.ok((await calls()).includes('interrupts 1'))
  assert.equal(JSON.parse(await readFile(join(folder, 'terraform.tfstate'), 'utf8')).resources, [{ region }])
  assert.not(existsSync(`${folder}.lock`))
})

test("a terminal's Ctrl-C, which goes to all that runs on it, reaches Terraform once, too", async ({
  home,
  calls,
}) => {
  home.environment.STAND_IN_WAITS = 'yes'
  const { code, said } = await home.onTerminal('so far', '\x03', 'deploy', '--yes')
  assert.is(code, 130, said)
  assert.ok((await calls()).includes('interrupts 1'))
})

test('two at once: the second is told of the first', async ({ home }) => {
  home.environment.STAND_IN_WAITS = 'yes'
  const first = home.start('deploy', '--yes')
  await until(() => first.said().includes('so far'), 'the first at work')
  const second = await home.run('deploy', '--yes')
  assert.is(second.code, 1)
  assert.match(second.said, `a deploy of this stack is running already (process ${first.process.pid}`)
  first.process.kill('SIGINT')
  assert.is((await first.end).code, 130)
})

test('a missing, a broken and an old Terraform are each told, with where to get one', async ({ home }) => {
  const { PATH } = home.environment
  home.environment.PATH = home.folder
  const missing = await home.run('deploy', '--plan')
  assert.is(missing.code, 1)
  assert.match(missing.said, 'opentofu.org')
  const named = await home.run('deploy', '--plan', '--terraform', 'none')
  assert.is(named.code, 2)
  const broken = join(home.folder, 'broken')
  await writeFile(broken, '#!/bin/sh\nexit 1\n')
  await chmod(broken, 0o755)
  assert.match(
    (await home.run('deploy', '--plan', '--terraform', broken)).said,
    'does not answer as Terraform',
  )
  Object.assign(home.environment, { PATH, STAND_IN_VERSION: '1.4.7' })
  assert.match((await home.run('deploy', '--plan')).said, '1.4.7, and 1.5 or later is needed')
})

test('all that is missing is told at once, before anything is done', async ({ home, folder }) => {
  Object.assign(home.environment, { AWS_REGION: '', PATH: home.folder })
  const nowhere = await home.run('deploy', '--plan')
  assert.is(nowhere.code, 1)
  for (const words of ['no AWS region is known', '--regions', 'neither terraform nor tofu was found on PATH'])
    assert.match(nowhere.said, words)
  home.environment.AWS_ACCESS_KEY_ID = ''
  const nobody = await home.run('deploy', '--plan')
  for (const words of [
    'no AWS region is known',
    'found on PATH',
    'no AWS credentials were found',
    'AWS_PROFILE',
  ])
    assert.match(nobody.said, words)
  assert.not(existsSync(folder))
})

test('a state folder that cannot be written is told, and nothing is changed', async ({ home, calls }) => {
  await writeFile(join(home.folder, 'plain'), '')
  home.environment.XDG_STATE_HOME = join(home.folder, 'plain')
  const { code, said } = await home.run('deploy', '--yes')
  assert.is(code, 1)
  assert.match(said, 'cannot be written')
  assert.match(said, 'XDG_STATE_HOME')
  assert.equal(await calls(), ['version -json'])
})

// On the one there is no room for the files, on the other none for the state.
for (const size of ['1M', '4M']) {
  const disk = await smallDisk(size)
  if (disk)
    test(`a full disk of ${size} is told, and nothing is changed`, async ({ home, calls }) => {
      home.environment.XDG_STATE_HOME = disk
      const { code, said } = await home.run('deploy', '--yes')
      assert.is(code, 1)
      assert.match(said, /disk.* is full/)
      assert.match(said, 'Nothing was changed')
      assert.equal(await calls(), ['version -json'])
    })
}

const real = Bun.which('terraform') ?? Bun.which('tofu')
if (real)
  test('the real one gets as far as its provider, and a provider that cannot be had is told', async ({
    home,
    folder,
  }) => {
    // A mirror with nothing in it is a network with no registry.
    const mirror = join(home.folder, 'mirror')
    await mkdir(mirror)
    const settings = join(home.folder, 'terraformrc')
    await writeFile(
      settings,
      `provider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\n`,
    )
    home.environment.TF_CLI_CONFIG_FILE = settings
    const { code, said } = await home.run('deploy', '--plan', '--terraform', real)
    assert.is(code, 1)
    assert.match(said, 'Failed to query available provider packages')
    assert.match(said, 'The AWS provider cannot be downloaded')
    assert.not(existsSync(`${folder}.lock`))
  })

if (moto) test.run()

/** A file system of this size, where the system lets one be made. */
async function smallDisk(size: string): Promise<string | undefined> {
  const home = await makeHome()
  const disk = join(home.folder, 'disk')
  await mkdir(disk)
  const mounted = Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', `size=${size}`, 'none', disk]).exitCode === 0
  if (!mounted) {
    await home.remove()
    console.error('\n*** LEFT OUT: deploy to a full disk: no file system can be mounted here\n')
    return undefined
  }
  test.after(async () => {
    Bun.spawnSync(['umount', disk])
    await rm(home.folder, { recursive: true })
  })
  return disk
}
