import * as assert from 'uvu/assert'
import { moduleSuite } from './module-suite.ts'

// What the module refuses before anything is made, and what lies at the edge of it.

const { test, plan, refusal, lambda, run } = await moduleSuite('terraform refusals')

test('values that AWS would refuse are refused before it is asked, each by name', () => {
  const bad = {
    name: 'Not_A_Name',
    name_prefix: 'Acme_',
    regions: ['mars'],
    mode: 'huge',
    memory_mb: 64,
    timeout_s: 901,
    sessions: 0,
    reserved_concurrency: -1,
    stun_servers: ['stun.example.net:99999'],
    turn_servers: ['turn.example.net:3478'],
    address_service: 'http://checkip.example.net',
    log_level: 'LOUD',
    log_retention_days: 2,
    tracing_mode: 'Loud',
    function_release: { url: 'http://example.com/function.zip', sha256: '0'.repeat(64) },
    runtime: 'nodejs18.x',
    architecture: 'mips',
    existing_role: { arn: 'mine' },
    role_path: 'proxies',
    role_permissions_boundary: 'arn:aws:iam::123456789012:role/mine',
    kms_key_arn: { 'eu-central-1': 'arn:aws:kms:us-east-1:123456789012:key/k' },
    vpc_config: { 'eu-central-1': { subnet_ids: [], security_group_ids: ['sg'] } },
    code_signing_config_arn: { 'eu-central-1': 'csc' },
    budget: { limit_usd: 0, emails: ['a@b.c'] },
    tags: { 'aws:team': 'mine' },
  }
  const said = refusal(bad)
  for (const name of Object.keys(bad)) assert.match(said, `${name} must`)
})

test('what is right takes no offence: values at the edge of what is refused', () => {
  plan({
    name: 'abc',
    name_prefix: 'a',
    memory_mb: 10240,
    timeout_s: 30,
    sessions: 5,
    reserved_concurrency: 10,
    role_path: '/a/b/',
    role_permissions_boundary: 'arn:aws-us-gov:iam::aws:policy/Bounds',
    architecture: 'arm64',
    function_zip: 'function.zip',
    log_retention_days: 0,
  })
})

test('a cap on concurrency leaves room for twice the sessions', () => {
  assert.match(refusal({ reserved_concurrency: 1 }), 'must be at least 2')
  assert.match(refusal({ reserved_concurrency: 9, sessions: 5 }), 'must be at least 10')
  assert.is(lambda({ reserved_concurrency: 10, sessions: 5 }).reserved_concurrent_executions, 10)
  assert.is(lambda({ reserved_concurrency: 0, sessions: 5 }).reserved_concurrent_executions, 0)
})

test('TURN servers and what they want to see go together, and what is secret is not said', () => {
  const turn_servers = ['turn:turn.example.net', 'turns:turn.example.net:443?transport=tcp']
  for (const half of [{ turn_servers }, { turn_auth: 'a:b' }]) assert.match(refusal(half), 'go together')
  // Every session would be refused by the function.
  for (const turn_auth of ['', 'hunter2']) {
    const said = refusal({ turn_servers, turn_auth })
    assert.match(said, 'turn_auth must')
    assert.not.match(said, 'hunter2')
  }
})

test('a bundle that is not there is named, with what to do', () => {
  assert.match(
    refusal({ function_zip: 'nowhere.zip' }),
    'There is no nowhere.zip. Make it with bun run build',
  )
})

test('a function on arm64 has a bundle of its own', () => {
  assert.match(refusal({ architecture: 'arm64' }), 'There is no ./function-arm64.zip')
})

test('one place for the bundle, and not two', () => {
  const function_release = { url: 'https://example.com/function.zip', sha256: '0'.repeat(64) }
  const function_s3 = { 'eu-central-1': { bucket: 'builds', key: 'function.zip' } }
  assert.match(refusal({ function_release, function_s3 }), 'exclude each other')
})

test('a map by region that leaves one out is refused, with the region', () => {
  for (const [name, value] of Object.entries({
    function_s3: { bucket: 'builds', key: 'function.zip' },
    kms_key_arn: 'arn:aws:kms:us-east-1:123456789012:key/k',
    vpc_config: { subnet_ids: ['s'], security_group_ids: ['sg'] },
    code_signing_config_arn: 'arn:aws:lambda:us-east-1:123456789012:code-signing-config:c',
  }))
    assert.match(
      refusal({ [name]: { 'us-east-1': value } }),
      new RegExp(`${name} names no \\w+ for eu-central-1`),
    )
})

test('name and prefix together are not too long for a bucket', () => {
  assert.match(refusal({ name: 'n'.repeat(38), name_prefix: 'p-' }), 'is longer than 38 characters')
})

test('an argument that the provider does not know, or of a wrong type, is seen by these tests', ({
  workspace,
}) => {
  const broken = (text: string) => {
    const place = `${workspace.module}-broken`
    workspace.copy(place, { 'main.tf': main => main.replace('force_destroy = true', text) })
    return workspace.attempt(place, 'validate')
  }
  assert.match(
    broken('force_destroyed = true').said,
    'An argument named "force_destroyed" is not expected here',
  )
  assert.match(broken('force_destroy = []').said, 'bool required')
})

run()
