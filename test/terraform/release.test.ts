import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { selfSigned } from '../support/certificate.ts'
import { need } from '../support/need.ts'
import { openStandIn } from './engine.ts'
import { folder as moduleFolder } from './module.ts'
import { openWorkspace, type Workspace } from './workspace.ts'

// A release's function.zip by URL and checksum, from a server on loopback.

const test = suite('terraform function_release')
const engine = need(['curl', 'git'], ['curl', 'git']) ? await openStandIn() : undefined
const bundle = Buffer.from('a bundle')
const sha256 = createHash('sha256').update(bundle).digest()
let workspace: Workspace
let folder: string
let server: ChildProcess
let origin: string

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'release-'))
  const { key, cert } = await selfSigned('127.0.0.1')
  for (const [name, content] of Object.entries({ 'key.pem': key, 'cert.pem': cert, 'function.zip': bundle }))
    writeFileSync(join(folder, name), content)
  server = spawn(process.execPath, [join(import.meta.dir, 'file-server.ts'), folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = await once(server.stdout!, 'data')
  origin = String(line).trim()
  workspace = openWorkspace(engine!, {}, { CURL_CA_BUNDLE: join(folder, 'cert.pem') })
  // It is not what the plan looks at.
  rmSync(join(workspace.module, 'function.zip'))
})
test.after(async () => {
  workspace?.close()
  server?.stdin?.end()
  await engine!.close()
  rmSync(folder, { recursive: true })
})

const release = (path: string, checksum: string) =>
  `-var=function_release=${JSON.stringify({ url: `${origin}${path}`, sha256: checksum })}`
const fetched = () => join(workspace.module, 'release-eu-central-1.zip')

test('another file than the one with the checksum is refused, and nothing is made of it', () => {
  const { status, said } = workspace.attempt(
    workspace.module,
    ...['apply', '-input=false', '-auto-approve', release('/function.zip', '0'.repeat(64))],
  )
  assert.is(status, 1)
  assert.match(said, `the file at ${origin}/function.zip does not have the checksum 000`)
  assert.not(existsSync(fetched()))
  assert.not.match(workspace.run(workspace.module, 'state', 'list'), 'aws_lambda_function')
})

test('the file is fetched, and its checksum is the one that Lambda is given', () => {
  const { at } = workspace.apply(workspace.module, release('/function.zip', sha256.toString('hex')))
  assert.equal(readFileSync(fetched()), bundle)
  const { filename, source_code_hash } = at('aws_lambda_function.exit["eu-central-1"]')
  assert.match(String(filename), 'release-eu-central-1.zip')
  assert.is(source_code_hash, sha256.toString('base64'))
})

test('any checksum becomes the base64 that Lambda has it in', () => {
  for (const seed of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const checksum = createHash('sha256').update(seed).digest()
    const option = release('/x', checksum.toString('hex').toUpperCase())
    const { planned_values } = workspace.plan(workspace.module, option)
    const [lambda] = planned_values.root_module.resources.filter(({ type }) => type === 'aws_lambda_function')
    assert.is(lambda!.values.source_code_hash, checksum.toString('base64'))
  }
})

test('with the same release there is nothing to do, on a machine that never fetched it, too', () => {
  rmSync(fetched())
  const option = release('/function.zip', sha256.toString('hex'))
  const { resource_changes } = workspace.plan(workspace.module, option)
  assert.equal(
    resource_changes.filter(({ change }) => change.actions.join() !== 'no-op'),
    [],
  )
})

test('a configuration that names the module by a git source needs no bundle of its own', () => {
  const repository = join(folder, 'repository')
  cpSync(moduleFolder, join(repository, 'terraform'), {
    recursive: true,
    filter: path => !/\.zip|\.terraform/.test(path),
  })
  const git = (...args: string[]) => {
    const who = ['-c', 'user.name=tester', '-c', 'user.email=tester@example.com']
    const { status, stderr } = spawnSync('git', [...who, ...args], { cwd: repository, encoding: 'utf8' })
    assert.is(status, 0, stderr)
  }
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '--message', 'module')

  const importer = join(folder, 'importer')
  mkdirSync(importer)
  const function_release = { url: `${origin}/function.zip`, sha256: sha256.toString('hex') }
  const proxy = { source: `git::file://${repository}//terraform`, function_release }
  writeFileSync(join(importer, 'main.tf.json'), JSON.stringify({ module: { proxy } }))
  workspace.run(importer, 'init', '-input=false')
  workspace.run(importer, 'apply', '-input=false', '-auto-approve')
  assert.match(
    workspace.run(importer, 'state', 'list'),
    'module.proxy.aws_lambda_function.exit["eu-central-1"]',
  )
})

if (engine) test.run()
