import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layOut, lock } from '../../cli/deploy/folder.ts'
import type { FunctionReport } from '../../cli/deploy/inspect.ts'
import { functionProblems, invocationProblems } from '../../cli/deploy/problems.ts'
import { classify, TerraformError } from '../../cli/deploy/terraform-error.ts'
import { errorText, readEvent, showEvent, type TerraformEvent } from '../../cli/deploy/terraform-events.ts'
import { inWords } from '../../cli/output/advice.ts'
import { functionAvailable } from '../../function/build.ts'
import { errorData } from '../../tunnel/net/coded-error.ts'

const test = suite<{ folder: string }>('deploy')
const module = join(import.meta.dir, '../../terraform')

test.before.each(async context => {
  context.folder = join(await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-')), 'stack')
})
test.after.each(({ folder }) => rm(join(folder, '..'), { recursive: true, force: true }))

test('lines of Terraform that tell of a resource become one short line, and others none', () => {
  const shown = (event: object) => {
    const read = readEvent(JSON.stringify(event))
    return read && showEvent(read)
  }
  const resource = { addr: 'aws_s3_bucket.signalling["eu-west-1"]' }
  assert.is(
    shown({ type: 'planned_change', change: { resource, action: 'create' } }),
    '  + aws_s3_bucket.signalling["eu-west-1"]',
  )
  assert.match(shown({ type: 'apply_progress', hook: { resource, elapsed_seconds: 10 } })!, '10 s so far')
  assert.match(
    shown({ type: 'apply_complete', hook: { resource, action: 'delete', elapsed_seconds: 2 } })!,
    '- aws_s3_bucket.signalling["eu-west-1"] done (2 s)',
  )
  for (const line of ['', 'no JSON', 'null', '1', '{"type":"version"}']) assert.is(readEvent(line), undefined)
})

test('of diagnostics the errors are told, each once, and no warnings', () => {
  const diagnostic = (severity: string, summary: string, detail?: string): TerraformEvent => ({
    type: 'diagnostic',
    diagnostic: { severity, summary, ...(detail !== undefined && { detail }) },
  })
  const events = [diagnostic('warning', 'old'), diagnostic('error', 'a', 'b'), diagnostic('error', 'a', 'b')]
  assert.is(errorText(events), 'a\nb')
})

for (const [what, words, advice] of [
  ['a provider that cannot be had', 'Failed to query available provider packages', 'network'],
  ['no credentials', 'No valid credential sources found', 'AWS_PROFILE'],
  [
    'a reservation that leaves too little',
    "api error InvalidParameterValueException: Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [10].",
    'TF_VAR_reserved_concurrency',
  ],
  [
    'expired credentials',
    'operation error STS: GetCallerIdentity, api error ExpiredToken: gone',
    'Sign in again',
  ],
  ['an action that is denied', 'api error AccessDenied: not authorized to perform: iam:CreateRole', 'right'],
  ['a name that is taken', 'api error EntityAlreadyExists: Role with name x already exists.', '--name'],
  ["Terraform's own lock", 'Error acquiring the state lock', 'force-unlock'],
  ['a full disk', 'write terraform.tfstate: no space left on device', 'Make room'],
  [
    'a state that is elsewhere',
    'Error asking for state migration action: input is disabled',
    '-migrate-state',
  ],
] as const)
  test(`Terraform's complaint of ${what} gets advice`, () =>
    assert.match(inWords(new TerraformError('it failed', words)).join(), advice))

test("a complaint that is not known stands alone in Terraform's words", () => {
  assert.equal(classify('Invalid value for variable'), { code: 'E_TERRAFORM_FAILED' })
  assert.equal(inWords(new TerraformError('plan failed: Invalid value', 'Invalid value')), [
    'plan failed: Invalid value',
  ])
})

test("a folder is laid out with the module's very bytes, and keeps the state", async ({ folder }) => {
  const unlock = await lock(folder, 'deploy')
  await writeFile(join(folder, 'terraform.tfstate'), 'state')
  // What an earlier release called otherwise goes; what a person added stays.
  await writeFile(
    join(folder, 'main.tf.json'),
    '{ "//": "Written by `bun run synth` from cdktf/. Edit there." }',
  )
  await writeFile(join(folder, 'override.tf'), '# my own')
  const layout = { variables: { name: 'team-proxy' }, architecture: 'x86_64', backend: false } as const
  assert.is(await layOut(folder, layout), false)
  for (const name of (await readdir(module)).filter(name => name.endsWith('.tf')))
    assert.is(await readFile(join(folder, name), 'utf8'), await readFile(join(module, name), 'utf8'))
  assert.equal(JSON.parse(await readFile(join(folder, 'terraform.tfvars.json'), 'utf8')), layout.variables)
  assert.ok((await readFile(join(folder, 'function.zip'))).length > 100_000)
  assert.is(await readFile(join(folder, 'terraform.tfstate'), 'utf8'), 'state')
  for (const gone of ['main.tf.json', 'backend.tf.json']) assert.not((await readdir(folder)).includes(gone))
  assert.is(await readFile(join(folder, 'override.tf'), 'utf8'), '# my own')
  const policy = await readFile(join(folder, 'deployer-policy.json'), 'utf8')
  assert.match(policy, '"arn:aws:lambda:*:*:function:team-proxy"')
  assert.not.match(policy, 'lambda-nat-proxy')

  // A release that asks for other providers has to ask for them anew.
  await writeFile(join(folder, 'versions.tf'), '')
  assert.is(await layOut(folder, { ...layout, backend: true }), true)
  assert.equal(JSON.parse(await readFile(join(folder, 'backend.tf.json'), 'utf8')), {
    terraform: { backend: { s3: {} } },
  })
  await unlock()
})

test('a folder for arm64 has the function for it, or says what is lacking', async ({ folder }) => {
  const layout = { variables: { name: 'team-proxy' }, architecture: 'arm64', backend: false } as const
  await mkdir(folder, { recursive: true })
  if (!functionAvailable('arm64')) {
    const error = await layOut(folder, layout).catch(each => each)
    assert.is(errorData(error).code, 'E_BUILD_NO_ENGINE')
    assert.match(error.message, 'linux-arm64')
    return
  }
  await layOut(folder, layout)
  assert.ok((await readFile(join(folder, 'function-arm64.zip'))).length > 100_000)
  assert.not((await readdir(folder)).includes('function.zip'))
})

test('a lock that is held is refused with its holder; one whose holder is dead is not', async ({
  folder,
}) => {
  const unlock = await lock(folder, 'deploy')
  const error = await lock(folder, 'destroy').catch(each => each)
  assert.match(error.message, `a deploy of this stack is running already (process ${process.pid}`)
  await unlock()
  // No process has this number: it is beyond what systems give out.
  await writeFile(`${folder}.lock`, '99999999 deploy\n')
  await (await lock(folder, 'destroy'))()
  // Another process has made it, and is about to write who it is; unless it was killed over that.
  await writeFile(`${folder}.lock`, '')
  assert.is((await lock(folder, 'destroy').catch(each => each)).code, 'E_STATE_LOCKED')
  await utimes(`${folder}.lock`, 0, 0)
  await (await lock(folder, 'destroy'))()
  assert.equal(await readdir(join(folder, '..')), ['stack'])
})

test('of many that find an abandoned lock at once, one takes it, and the others are refused', async ({
  folder,
}) => {
  await mkdir(folder, { recursive: true })
  for (let round = 0; round < 20; round++) {
    // In every other round who removed such a lock was killed over that, too.
    for (const name of ['lock', 'lock.removal'].slice(0, 1 + (round % 2)))
      await writeFile(`${folder}.${name}`, '99999999 deploy\n')
    const taken = await Promise.allSettled(Array.from({ length: 8 }, () => lock(folder, 'destroy')))
    const errors = taken.flatMap(each => (each.status === 'rejected' ? [errorData(each.reason).code] : []))
    assert.equal(errors, Array(7).fill('E_STATE_LOCKED'))
    for (const each of taken) if (each.status === 'fulfilled') await each.value()
    assert.equal(await readdir(join(folder, '..')), ['stack'])
  }
})

test('a destroy is laid out without the function', async ({ folder }) => {
  await mkdir(folder, { recursive: true })
  await layOut(folder, { variables: { name: 'team-proxy' }, backend: false })
  const names = await readdir(folder)
  assert.ok(names.includes('main.tf'))
  assert.not(names.some(name => name.endsWith('.zip')))
})

const healthy: FunctionReport = {
  name: 'team-proxy',
  arn: 'arn',
  state: 'Active',
  lastUpdate: 'Successful',
  reason: null,
  runtime: 'nodejs24.x',
  memoryMb: 256,
  timeoutS: 600,
  codeBytes: 1,
  lastModified: '',
  reservedConcurrency: null,
  retries: 0,
}

test("a file in the folder's place is no lock", async ({ folder }) => {
  await writeFile(folder, '')
  const error = await lock(folder, 'deploy').catch(error => error)
  assert.is(error.code, 'E_STATE_UNWRITABLE')
  assert.match(error.message, 'a part of the path is not a folder')
})

test('a function that answers has no problem, whether or not it was used of late', () => {
  for (const state of ['Active', 'Inactive']) assert.equal([...functionProblems({ ...healthy, state })], [])
})

for (const [change, code, words] of [
  [{ state: 'Failed', reason: 'no role' }, 'E_FUNCTION_STATE', 'Failed (no role)'],
  [{ lastUpdate: 'InProgress' }, 'E_FUNCTION_UPDATE', 'InProgress'],
  [{ reservedConcurrency: 0 }, 'E_FUNCTION_STOPPED', 'reserved concurrency is 0'],
  [{ retries: null }, 'E_FUNCTION_RETRIES', 'again by itself'],
] as const)
  test(`a function is degraded by ${JSON.stringify(change)}`, () => {
    const problems = [...functionProblems({ ...healthy, ...change })]
    assert.is(problems.length, 1)
    assert.is(problems[0]!.code, code)
    assert.match(problems[0]!.message, words)
  })

test('errors count when they are more than half, throttles always', () => {
  const count = (invocations: number, errors: number, throttles = 0) =>
    [...invocationProblems({ hours: 24, invocations, errors, throttles })].length
  assert.equal([count(0, 0), count(4, 2), count(4, 3), count(4, 0, 1), count(4, 4, 1)], [0, 0, 1, 1, 2])
})

test.run()
