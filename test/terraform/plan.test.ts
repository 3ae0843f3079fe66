import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findEngine } from './engine.ts'
import { openWorkspace, type Workspace } from './workspace.ts'

// What Terraform itself says of the module before anything is made. Left out, loudly, where there is none.

const test = suite('terraform plan')
let workspace: Workspace

test.before(async () => {
  workspace = await openWorkspace(engine!, {})
})
test.after(() => workspace?.close())

test('the module is valid, alone and imported', () => {
  for (const place of [workspace.module, workspace.importer]) workspace.run(place, 'validate')
})

test('with nothing set, there is one exit, in the region of the provider', () => {
  const { resources } = workspace.plan(workspace.module).planned_values.root_module
  const functions = resources.filter(({ type }) => type === 'aws_lambda_function')
  assert.equal(
    functions.map(({ values }) => [values.function_name, values.memory_size, values.timeout, values.runtime]),
    [['lambda-nat-proxy', 256, 600, 'nodejs24.x']],
  )
})

test('memory and limit follow the mode, but for what is set apart', () => {
  const { resources } = workspace.plan(workspace.module, '-var=mode=performance', '-var=memory_mb=300')
    .planned_values.root_module
  const { values } = resources.find(({ type }) => type === 'aws_lambda_function')!
  assert.equal([values.memory_size, values.timeout], [300, 900])
})

test('policies fit with all the regions that an account begins with and the longest name', () => {
  const regions =
    'us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 sa-east-1 eu-central-1 eu-west-1 eu-west-2 eu-west-3 eu-north-1 ' +
    'ap-south-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 ap-southeast-2'
  const { outputs, root_module } = workspace.plan(
    workspace.module,
    `-var=name=${'n'.repeat(38)}`,
    `-var=regions=${JSON.stringify(regions.split(' '))}`,
  ).planned_values

  // IAM counts the characters of a managed policy without white space, and has room for more in a role's own.
  const size = (policy: unknown) => JSON.stringify(JSON.parse(String(policy))).length
  const client = size(outputs.client_policy_json?.value)
  assert.ok(client <= 6144, `the client's policy has ${client} characters`)
  const valuesOf = (wanted: string) =>
    root_module.resources.filter(({ type }) => type === wanted).map(({ values }) => values)
  for (const { policy } of valuesOf('aws_iam_role_policy')) assert.ok(size(policy) <= 10240)
  for (const { bucket } of valuesOf('aws_s3_bucket')) assert.ok(String(bucket).length <= 63, String(bucket))
  assert.is(valuesOf('aws_lambda_function').length, 17)
})

test('values that AWS would refuse are refused before it is asked, each by name', () => {
  const bad = {
    name: 'Not_A_Name',
    regions: '["mars"]',
    mode: 'huge',
    memory_mb: '64',
    timeout_s: '901',
    reserved_concurrency: '-1',
    stun_servers: '["stun.example.net:99999"]',
    log_level: 'LOUD',
    log_retention_days: '2',
    runtime: 'nodejs18.x',
    tags: '{"aws:team":"mine"}',
  }
  const settings = Object.entries(bad).map(([name, value]) => `-var=${name}=${value}`)
  const { status, said } = workspace.attempt(workspace.module, 'plan', '-input=false', ...settings)
  assert.is(status, 1)
  for (const name of Object.keys(bad)) assert.match(said, `${name} must`)
})

test('a bundle that is not there is named, with what to do', () => {
  const missing = (setting: string) =>
    workspace.attempt(workspace.module, 'plan', '-input=false', setting).said
  assert.match(
    missing('-var=function_zip=nowhere.zip'),
    'There is no nowhere.zip. Make it with bun run build',
  )
  const elsewhere = '-var=function_s3={"us-east-1":{"bucket":"builds","key":"function.zip"}}'
  assert.match(missing(elsewhere), 'function_s3 names no object for eu-central-1')
})

const engine = findEngine()
if (engine) test.run()
