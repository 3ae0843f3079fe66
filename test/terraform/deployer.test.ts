import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { allowedActions, isAllowed, type Request } from './iam.ts'
import { folder } from './module.ts'
import { moduleSuite } from './module-suite.ts'
import { DEPLOY_ACTIONS, INPUT_ACTIONS, PROVIDER_ACTIONS } from './provider-actions.ts'
import type { Plan } from './workspace.ts'

// The deployer's policy: all that the provider calls for what a plan makes, on what it makes, and nothing else.

const { test, plan, run } = await moduleSuite('terraform deployer policy')
const account = '123456789012'
const region = 'eu-central-1'
const file = readFileSync(join(folder, 'deployer-policy.json'), 'utf8')

const policyOf = ({ planned_values }: Plan) => String(planned_values.outputs.deployer_policy_json!.value)
const typesOf = ({ planned_values }: Plan) => {
  const { resources } = planned_values.root_module
  return [...new Set(resources.filter(({ mode }) => mode === 'managed').map(({ type }) => type))]
}

/** What an action is asked of, of a stack of this name. */
function resourceOf(action: string, name: string): Request {
  const [service = '', verb = ''] = action.split(':')
  const bucket = `arn:aws:s3:::${name}-${region}-2a33349e`
  const context: Record<string, string> =
    action === 'iam:PassRole' ? { 'iam:PassedToService': 'lambda.amazonaws.com' } : {}
  switch (service) {
    case 's3':
      return {
        action,
        resource: /Object(Version)?$/.test(verb) ? `${bucket}/sessions/a/offer.json` : bucket,
        context,
      }
    case 'lambda':
      return { action, resource: `arn:aws:lambda:${region}:${account}:function:${name}`, context }
    case 'logs': {
      const group = verb === 'DescribeLogGroups' ? '' : `/aws/lambda/${name}`
      return { action, resource: `arn:aws:logs:${region}:${account}:log-group:${group}:*`, context }
    }
    case 'budgets':
      return { action, resource: `arn:aws:budgets::${account}:budget/${name}`, context }
    default:
      return { action, resource: `arn:aws:iam::${account}:role/${name}`, context }
  }
}

const full = {
  name: 'team-proxy',
  budget: { limit_usd: 5, emails: ['a@b.c'], roles: ['developers'] },
  kms_key_arn: { [region]: `arn:aws:kms:${region}:${account}:key/k` },
  vpc_config: { [region]: { subnet_ids: ['s'], security_group_ids: ['g'] } },
  function_s3: { [region]: { bucket: 'builds', key: 'function.zip' } },
  code_signing_config_arn: { [region]: `arn:aws:lambda:${region}:${account}:code-signing-config:c` },
}

test('it allows exactly what the provider and deploy call: with nothing set, with everything set, and the file', () => {
  const bare = plan()
  const everything = plan(full)
  const expected = (types: string[], more: string[]) =>
    [
      ...new Set([
        ...types.flatMap(type => PROVIDER_ACTIONS[type] ?? [`of ${type} nothing is known`]),
        ...DEPLOY_ACTIONS,
        ...more,
      ]),
    ].sort()
  assert.equal(allowedActions([policyOf(bare)]).sort(), expected(typesOf(bare), []))
  assert.equal(allowedActions([file]).sort(), expected(typesOf(bare), []))
  assert.equal(
    allowedActions([policyOf(everything)]).sort(),
    expected(typesOf(everything), Object.values(INPUT_ACTIONS).flat()),
  )
})

test("each call of the provider's is allowed on the stack's own, and on no other stack's", () => {
  const bare = plan()
  for (const [policy, name] of [
    [policyOf(bare), 'lambda-nat-proxy'],
    [file, 'lambda-nat-proxy'],
  ] as const)
    for (const action of typesOf(bare).flatMap(type => PROVIDER_ACTIONS[type]!)) {
      const request = resourceOf(action, name)
      assert.ok(isAllowed([policy], request), JSON.stringify(request))
      // It knows no single group.
      if (action === 'logs:DescribeLogGroups') continue
      assert.not(isAllowed([policy], resourceOf(action, 'other')), `${action} on another stack`)
    }
})

test('a role is handed to the service that it is for, and to no other', () => {
  const policy = policyOf(plan(full))
  const pass = (name: string, service: string) =>
    isAllowed([policy], {
      action: 'iam:PassRole',
      resource: `arn:aws:iam::${account}:role/${name}`,
      context: { 'iam:PassedToService': `${service}.amazonaws.com` },
    })
  assert.equal(
    [
      pass('team-proxy', 'lambda'),
      pass('team-proxy-budget', 'budgets'),
      pass('team-proxy', 'ec2'),
      pass('team-proxy-budget', 'lambda'),
      pass('admin', 'lambda'),
    ],
    [true, true, false, false, false],
  )
})

test('with a boundary set, only roles within it are made or given rights', () => {
  const boundary = `arn:aws:iam::${account}:policy/bounds`
  const policy = policyOf(plan({ role_permissions_boundary: boundary, role_path: '/proxies/' }))
  const asks = (action: string, bounds: string) =>
    isAllowed([policy], {
      action,
      resource: `arn:aws:iam::${account}:role/proxies/lambda-nat-proxy`,
      context: { 'iam:PermissionsBoundary': bounds },
    })
  for (const action of ['iam:CreateRole', 'iam:PutRolePolicy', 'iam:PutRolePermissionsBoundary'])
    assert.equal([asks(action, boundary), asks(action, `${boundary}-other`)], [true, false], action)
  assert.not(asks('iam:DeleteRolePermissionsBoundary', boundary))
})

test('with a role of one’s own, no right over roles is left but to hand that one on', () => {
  const arn = `arn:aws:iam::${account}:role/mine`
  const policy = policyOf(plan({ existing_role: { arn } }))
  assert.equal(
    allowedActions([policy]).filter(action => action.startsWith('iam:')),
    ['iam:PassRole'],
  )
  const context = { 'iam:PassedToService': 'lambda.amazonaws.com' }
  assert.ok(isAllowed([policy], { action: 'iam:PassRole', resource: arn, context }))
})

run()
