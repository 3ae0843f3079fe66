import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import { nodeOptions, oldSpaceMb } from '../../function/modes.ts'
import { moduleSuite, valuesOf } from './module-suite.ts'
import type { Block, Plan } from './workspace.ts'

// What the module would make, as Terraform plans it.

const { test, plan, lambda, run } = await moduleSuite('terraform plan')

const addresses = ({ planned_values }: Plan) =>
  planned_values.root_module.resources.map(({ address }) => address).sort()

test('the module is valid, alone and imported', ({ workspace }) => {
  for (const place of [workspace.module, workspace.importer]) workspace.run(place, 'validate')
})

test('with nothing set, there is one exit, in the region of the provider, and nothing that one must ask for', () => {
  assert.equal(addresses(plan()), [
    'aws_cloudwatch_log_group.exit["eu-central-1"]',
    'aws_iam_role.exit[0]',
    'aws_iam_role_policy.exit[0]',
    'aws_lambda_function.exit["eu-central-1"]',
    'aws_lambda_function_event_invoke_config.exit["eu-central-1"]',
    'aws_lambda_permission.offers["eu-central-1"]',
    'aws_s3_bucket.signalling["eu-central-1"]',
    'aws_s3_bucket_lifecycle_configuration.signalling["eu-central-1"]',
    'aws_s3_bucket_notification.offers["eu-central-1"]',
    'aws_s3_bucket_ownership_controls.signalling["eu-central-1"]',
    'aws_s3_bucket_policy.signalling["eu-central-1"]',
    'aws_s3_bucket_public_access_block.signalling["eu-central-1"]',
    'aws_s3_bucket_server_side_encryption_configuration.signalling["eu-central-1"]',
  ])
})

test('the function is as large and as patient as its mode, and runs with what it is told', () => {
  const { memory_size, timeout, runtime, architectures, environment, ...values } = lambda({})
  assert.equal([memory_size, timeout, runtime, architectures], [256, 600, 'nodejs24.x', ['x86_64']])
  const [{ variables }] = environment as [{ variables: Block }]
  assert.is(variables.STUN_SERVERS, 'stun.l.google.com:19302,stun.cloudflare.com:3478')
  assert.is(variables.ADDRESS_SERVICE, 'https://checkip.amazonaws.com')
  assert.equal([variables.MODE, variables.ALLOW_PRIVATE], ['normal', 'false'])
  assert.is(values.reserved_concurrent_executions ?? null, null)
  assert.equal(values.tracing_config, [{ mode: 'PassThrough' }])
  assert.equal(values.vpc_config, [])
})

test('TURN servers and what they want to see go to the function', () => {
  const turn_servers = ['turn:turn.example.net', 'turns:turn.example.net:443?transport=tcp']
  const { environment } = lambda({ turn_servers, turn_auth: 'secret=shared' })
  const [{ variables }] = environment as [{ variables: Block }]
  assert.equal([variables.TURN_SERVERS, variables.TURN_AUTH], [turn_servers.join(','), 'secret=shared'])
})

test('memory and limit follow the mode, but for what is set apart', () => {
  for (const [mode, size] of Object.entries({
    test: [128, 120],
    normal: [256, 600],
    performance: [512, 900],
  })) {
    const { memory_size, timeout } = lambda({ mode })
    assert.equal([memory_size, timeout], size, mode)
  }
  const { memory_size, timeout } = lambda({ mode: 'performance', memory_mb: 300 })
  assert.equal([memory_size, timeout], [300, 900])
})

test("V8's generations are both named, by the memory, as in the embedded cloud", () => {
  for (const memory_mb of [128, 301, 10_240]) {
    const [{ variables }] = lambda({ memory_mb }).environment as [{ variables: Block }]
    assert.is(variables.NODE_OPTIONS, nodeOptions(oldSpaceMb(memory_mb)))
  }
  assert.match(nodeOptions(oldSpaceMb(128)), /^--max-semi-space-size=\d+ --max-old-space-size=64$/)
})

test('an event is tried once and for a minute, and only an offer that is written is one', () => {
  const made = plan()
  const [invoke] = valuesOf(made, 'aws_lambda_function_event_invoke_config')
  assert.equal([invoke!.maximum_retry_attempts, invoke!.maximum_event_age_in_seconds], [0, 60])
  const [notification] = valuesOf(made, 'aws_s3_bucket_notification')
  const [{ events, filter_prefix, filter_suffix }, ...more] = notification!.lambda_function as [Block]
  assert.equal([events, filter_prefix, filter_suffix], [['s3:ObjectCreated:Put'], 'sessions/', '/offer.json'])
  assert.equal(more, [])
})

test('the bucket is closed, encrypted, its owner’s, and forgets within a day', () => {
  const made = plan()
  const [closed] = valuesOf(made, 'aws_s3_bucket_public_access_block')
  for (const what of [
    'block_public_acls',
    'block_public_policy',
    'ignore_public_acls',
    'restrict_public_buckets',
  ])
    assert.is(closed![what], true, what)
  const [encryption] = valuesOf(made, 'aws_s3_bucket_server_side_encryption_configuration')
  assert.match(JSON.stringify(encryption!.rule), '"sse_algorithm":"AES256"')
  const [ownership] = valuesOf(made, 'aws_s3_bucket_ownership_controls')
  assert.match(JSON.stringify(ownership!.rule), 'BucketOwnerEnforced')
  const [lifecycle] = valuesOf(made, 'aws_s3_bucket_lifecycle_configuration')
  assert.match(JSON.stringify(lifecycle!.rule), /"expiration":\[\{[^\]]*"days":1.*"days_after_initiation":1/)
})

test('all that takes tags has the stack among them, by which the client finds it', () => {
  const made = plan({ name: 'team-proxy', name_prefix: 'acme-', tags: { team: 'platform' } })
  const tagged = made.planned_values.root_module.resources.filter(({ values }) => 'tags' in values)
  assert.is(tagged.length, 4)
  for (const { values, address } of tagged)
    assert.equal(values.tags, { team: 'platform', 'lambda-nat-proxy:stack': 'team-proxy' }, address)
})

test('a prefix comes before every name', () => {
  const made = plan({
    name: 'team-proxy',
    name_prefix: 'acme-',
    budget: { limit_usd: 5, emails: ['a@b.c'], users: ['u'] },
  })
  const names = made.planned_values.root_module.resources.flatMap(({ values }) =>
    [values.bucket, values.function_name, values.type === undefined ? values.name : null].filter(
      name => typeof name === 'string' && !['exit', 'attach'].includes(name),
    ),
  )
  assert.is(names.length, 9)
  for (const name of names) assert.match(String(name), /^(\/aws\/lambda\/)?acme-team-proxy/)
})

test('a bucket is named by stack, region and account, as it was in every release: another name is another bucket', () => {
  const [bucket] = valuesOf(plan({ name: 'team-proxy' }), 'aws_s3_bucket')
  const account = createHash('sha256').update('123456789012').digest('hex')
  assert.is(bucket!.bucket, `team-proxy-eu-central-1-${account.slice(0, 8)}`)
})

test('a role of one’s own takes the place of the module’s', () => {
  const arn = 'arn:aws:iam::123456789012:role/mine'
  const made = plan({ existing_role: { arn } })
  assert.not(addresses(made).some(address => address.startsWith('aws_iam_')))
  assert.is(valuesOf(made, 'aws_lambda_function')[0]!.role, arn)
  assert.is(made.planned_values.outputs.role_arn!.value, arn)
})

test('path and boundary go to every role that is made', () => {
  const role_permissions_boundary = 'arn:aws:iam::123456789012:policy/bounds'
  const settings = { role_path: '/proxies/', role_permissions_boundary }
  const roles = valuesOf(
    plan({ ...settings, budget: { limit_usd: 5, emails: ['a@b.c'], roles: ['r'] } }),
    'aws_iam_role',
  )
  assert.is(roles.length, 2)
  for (const { path, permissions_boundary } of roles)
    assert.equal([path, permissions_boundary], ['/proxies/', role_permissions_boundary])
})

test('keys, networks and code signing are those of each region', () => {
  const regions = ['eu-central-1', 'us-east-1']
  const byRegion = (value: (region: string) => unknown) =>
    Object.fromEntries(regions.map(region => [region, value(region)]))
  const made = plan({
    regions,
    kms_key_arn: byRegion(region => `arn:aws:kms:${region}:123456789012:key/k`),
    code_signing_config_arn: byRegion(
      region => `arn:aws:lambda:${region}:123456789012:code-signing-config:c`,
    ),
    vpc_config: byRegion(region => ({ subnet_ids: [`subnet-${region}`], security_group_ids: ['sg'] })),
    function_s3: byRegion(region => ({ bucket: `builds-${region}`, key: 'function.zip' })),
  })
  for (const region of regions) {
    const of = (type: string, name = 'exit') => valuesOf(made, `${type}.${name}["${region}"]`)[0]!
    const function_ = of('aws_lambda_function')
    assert.match(String(function_.kms_key_arn), `:${region}:`)
    assert.match(String(function_.code_signing_config_arn), `:${region}:`)
    assert.equal((function_.vpc_config as [Block])[0].subnet_ids, [`subnet-${region}`])
    assert.is(function_.s3_bucket, `builds-${region}`)
    assert.is(function_.filename ?? null, null)
    assert.match(String(of('aws_cloudwatch_log_group').kms_key_id), `:${region}:`)
    const { rule } = of('aws_s3_bucket_server_side_encryption_configuration', 'signalling')
    for (const part of ['"bucket_key_enabled":true', `:${region}:`, '"aws:kms"'])
      assert.match(JSON.stringify(rule), part)
  }
})

test('a budget tells by mail, and acts when it is told on whom', () => {
  const told = plan({ budget: { limit_usd: 12.5, emails: ['ops@example.com'] } })
  const [budget] = valuesOf(told, 'aws_budgets_budget')
  assert.equal([budget!.limit_amount, budget!.limit_unit, budget!.time_unit], ['12.5', 'USD', 'MONTHLY'])
  assert.is((budget!.notification as Block[]).length, 2)
  assert.equal(valuesOf(told, 'aws_budgets_budget_action'), [])
  const acting = plan({ budget: { limit_usd: 12.5, emails: ['ops@example.com'], groups: ['developers'] } })
  assert.is(valuesOf(acting, 'aws_budgets_budget_action').length, 1)
})

const accountRegions = (
  'us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 sa-east-1 eu-central-1 eu-west-1 eu-west-2 eu-west-3 eu-north-1 ' +
  'ap-south-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 ap-southeast-2'
).split(' ')

for (const [what, regions, keys] of [
  ['all the regions that an account begins with', accountRegions, []],
  ['ten regions, each with a key', accountRegions.slice(0, 10), accountRegions.slice(0, 10)],
] as const)
  test(`policies fit with the longest name and ${what}`, () => {
    const arn = (region: string) => `arn:aws:kms:${region}:123456789012:key/mrk-${'0'.repeat(32)}`
    const kms_key_arn = Object.fromEntries(keys.map(region => [region, arn(region)]))
    const made = plan({ name: 'n'.repeat(38), regions, kms_key_arn })
    const { outputs } = made.planned_values

    // IAM counts the characters of a managed policy without white space, and has room for more in a role's own.
    const size = (policy: unknown) => JSON.stringify(JSON.parse(String(policy))).length
    for (const output of ['client_policy_json', 'deployer_policy_json'])
      assert.ok(
        size(outputs[output]!.value) <= 6144,
        `${output} has ${size(outputs[output]!.value)} characters`,
      )
    for (const { policy } of valuesOf(made, 'aws_iam_role_policy')) assert.ok(size(policy) <= 10240)
    for (const { bucket } of valuesOf(made, 'aws_s3_bucket'))
      assert.ok(String(bucket).length <= 63, String(bucket))
    assert.is(valuesOf(made, 'aws_lambda_function').length, regions.length)
  })

run()
