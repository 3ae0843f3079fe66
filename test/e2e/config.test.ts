import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { type Home, makeHome } from '../support/command.ts'
import { putTerraform } from '../support/terraform-stand-in.ts'
import { until } from '../support/until.ts'

const test = suite<{ home: Home; file: string }>('lambda-nat-proxy config')

test.before.each(async context => {
  context.home = await makeHome()
  context.file = join(context.home.folder, 'home/.config/lambda-nat-proxy/lambda-nat-proxy.yaml')
})
test.after.each(({ home }) => home.remove())

test('init writes the file, with a name of its own each time, and overwrites only by --force', async ({
  home,
  file,
}) => {
  const name = async () => parse(await readFile(file, 'utf8')).deployment.stack_name
  assert.is((await home.run('config', 'init')).code, 0)
  const first = await name()
  assert.match(first, /^lambda-nat-proxy-[0-9a-f]{6}$/)

  const again = await home.run('config', 'init')
  assert.is(again.code, 2)
  assert.match(again.said, file)
  assert.match(again.said, '--force')
  assert.is(await name(), first)

  assert.is((await home.run('config', 'init', '--force', '--regions', 'eu-west-1,us-east-1')).code, 0)
  assert.is.not(await name(), first)
  assert.equal(parse(await readFile(file, 'utf8')).aws.regions, ['eu-west-1', 'us-east-1'])
})

test('init keeps what is typed on a terminal, and asks again for what is no region', async ({
  home,
  file,
}) => {
  const init = home.atTerminal('config', 'init')
  await until(() => init.said().includes('AWS regions'), 'the first question')
  init.type('nowhere\r')
  await until(() => init.said().split('AWS regions').length > 2, 'the question again')
  assert.match(init.said(), "'nowhere' is not the name of an AWS region")
  // Typed ahead of the question.
  init.type('eu-west-1, us-east-1\r3\r')
  assert.is(await init.exited, 0, init.said())
  const { aws, deployment } = parse(await readFile(file, 'utf8'))
  assert.equal(aws.regions, ['eu-west-1', 'us-east-1'])
  assert.is(deployment.mode, 'performance')
})

test('init takes an empty line for what it offers, and a size by its name', async ({ home, file }) => {
  const { code, said } = await home.onTerminal('AWS regions', '\r\r', 'config', 'init')
  assert.is(code, 0, said)
  assert.is(parse(await readFile(file, 'utf8')).deployment.mode, 'normal')
  const args = ['config', 'init', '--force', '--region', 'eu-west-1']
  assert.is((await home.onTerminal('Number or name', 'test\r', ...args)).code, 0)
  assert.is(parse(await readFile(file, 'utf8')).deployment.mode, 'test')
})

test('init ends with all that is missing to deploy, or with what is next', async ({ home }) => {
  home.environment.PATH = home.folder
  const { said } = await home.run('config', 'init')
  for (const words of [
    'Before "lambda-nat-proxy deploy"',
    'neither terraform nor tofu was found on PATH',
    'no AWS region is known',
    'no AWS credentials were found',
    'lambda-nat-proxy doctor',
  ])
    assert.match(said, words)
  await putTerraform(home.folder)
  const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }
  Object.assign(home.environment, keys, { PATH: `${home.folder}:/usr/bin:/bin` })
  const next = await home.run('config', 'init', '--force', '--regions', 'eu-west-1')
  assert.is(next.code, 0)
  assert.match(next.said, 'Next: "lambda-nat-proxy doctor"')
  assert.not.match(next.said, 'Before')
})

for (const [key, text] of [
  ['Ctrl-C', 'eu-we\x03'],
  ['Ctrl-D', '\x04'],
] as const)
  test(`${key} at a question ends with 130, a plain line and no file`, async ({ home, file }) => {
    const { code, said } = await home.onTerminal('AWS regions', text, 'config', 'init')
    assert.is(code, 130, said)
    assert.match(said, 'Interrupted: nothing was changed.')
    assert.not.match(said, /Error|\.ts:/)
    assert.not.ok(existsSync(file))
  })

test('show says where each value came from, as a table, JSON and YAML', async ({ home, file }) => {
  await home.run('config', 'init', '--name', 'team-proxy')
  home.environment.AWS_REGION = 'eu-central-1'
  const table = await home.run('config', 'show', '--port', '0')
  for (const row of [
    'aws.regions eu-central-1 environment (AWS_REGION)',
    'proxy.port 0 flag (--port)',
    'proxy.host 127.0.0.1 default',
  ])
    assert.match(table.said, row)
  assert.match(table.said, new RegExp(`deployment.stack_name team-proxy file \\(${file}:\\d+\\)`))

  const json = JSON.parse((await home.run('config', 'show', '--json')).stdout)
  assert.equal(json.settings['aws.regions'], {
    value: ['eu-central-1'],
    source: 'environment',
    where: 'AWS_REGION',
  })
  assert.is(json.file, file)
  assert.equal(parse((await home.run('config', 'show', '--yaml')).stdout), json)
})

test('path is where XDG says, or an option, or the environment', async ({ home, file }) => {
  const path = async (...args: string[]) => (await home.run('config', 'path', ...args)).stdout.trim()
  assert.is(await path(), file)
  home.environment.XDG_CONFIG_HOME = join(home.folder, 'xdg')
  assert.is(await path(), join(home.folder, 'xdg/lambda-nat-proxy/lambda-nat-proxy.yaml'))
  home.environment.LAMBDA_NAT_PROXY_CONFIG = 'mine.yaml'
  assert.is(await path(), 'mine.yaml')
  assert.is(await path('--config', 'yours.yaml'), 'yours.yaml')
})

test('what is wrong with the file is said, with exit code 2', async ({ home }) => {
  const file = join(home.folder, 'settings.yaml')
  const show = () => home.run('config', 'show', '--config', file)
  const gone = await show()
  assert.is(gone.code, 2)
  assert.match(gone.said, 'no such file')
  for (const [content, word] of [
    ['', 'is empty'],
    [new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 0, 0xff]), 'is not text in UTF-8'],
    ['proxy:\n\tport: 1\n', ':2: is not YAML'],
    ['x'.repeat(2_000_000), '2000000 bytes'],
  ] as const) {
    await writeFile(file, content)
    const { code, said } = await show()
    assert.is(code, 2)
    assert.match(said, file)
    assert.match(said, word)
  }
  await mkdir(join(home.folder, 'folder'))
  assert.match((await home.run('config', 'show', '--config', 'folder')).said, 'is a folder')
})

test('a file that cannot be written is a failure', async ({ home }) => {
  await writeFile(join(home.folder, 'plain'), '')
  const { code, said } = await home.run('config', 'init', '--config', 'plain/settings.yaml')
  assert.is(code, 1)
  assert.match(said, 'plain/settings.yaml cannot be written')
})

test.run()
