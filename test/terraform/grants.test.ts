import * as assert from 'uvu/assert'
import { allowedActions, isAllowed, type Request } from './iam.ts'
import { moduleSuite, type Settings } from './module-suite.ts'
import type { State } from './workspace.ts'

// What the module's policies let people and the function do, once Terraform has worked them out.

const { test, apply, run } = await moduleSuite('terraform grants')
const account = '123456789012'
const key = `arn:aws:kms:eu-central-1:${account}:key/signalling`

const made = (settings: Settings = {}) => apply({ name: 'team-proxy', ...settings })
const text = (state: State, output: string) => String(state.outputs[output]!.value)

/** Asserts what is allowed and what is not; requests are of the stack's account and region unless they say otherwise. */
function expect(policies: string[], allowed: Request[], refused: Request[]): void {
  const usual = { 'aws:ResourceAccount': account, 'aws:RequestedRegion': 'eu-central-1' }
  const decided = ({ context, ...request }: Request) =>
    isAllowed(policies, { ...request, context: { ...usual, ...context } })
  for (const request of allowed) assert.is(decided(request), true, `refused: ${JSON.stringify(request)}`)
  for (const request of refused) assert.is(decided(request), false, `allowed: ${JSON.stringify(request)}`)
}

/** The same, where what is allowed has every action of the policies in it. */
function expectOnly(policies: string[], allowed: Request[], refused: Request[]): void {
  expect(policies, allowed, refused)
  const actions = new Set(allowed.map(({ action }) => action))
  assert.equal(allowedActions(policies).sort(), [...actions].sort())
}

const places = (state: State, region = 'eu-central-1') => {
  const { bucket } = state.at(`aws_s3_bucket.signalling["${region}"]`)
  const session = `arn:aws:s3:::${bucket}/sessions/abc`
  return {
    bucket: `arn:aws:s3:::${bucket}`,
    offer: `${session}/offer.json`,
    answer: `${session}/answer.json`,
    lambda: `arn:aws:lambda:${region}:${account}:function:team-proxy`,
    log: `arn:aws:logs:${region}:${account}:log-group:/aws/lambda/team-proxy:*`,
  }
}

test('a client opens sessions and looks at its stack, and does nothing else', () => {
  const state = made()
  const { bucket, offer, answer, lambda, log } = places(state)
  expectOnly(
    [text(state, 'client_policy_json')],
    [
      { action: 's3:PutObject', resource: offer },
      { action: 's3:GetObject', resource: answer },
      { action: 's3:DeleteObject', resource: offer },
      { action: 's3:DeleteObject', resource: answer },
      { action: 's3:ListBucket', resource: bucket },
      { action: 's3:GetBucketNotification', resource: bucket },
      { action: 'lambda:GetFunction', resource: lambda },
      { action: 'lambda:GetFunctionEventInvokeConfig', resource: lambda },
      { action: 'lambda:InvokeFunction', resource: lambda },
      { action: 'lambda:ListTags', resource: lambda },
      { action: 'logs:FilterLogEvents', resource: log },
      { action: 'cloudwatch:GetMetricData', resource: '*' },
      { action: 'tag:GetResources', resource: '*' },
    ],
    [
      // Offers are other people's addresses and passwords, and answers the function's to write.
      { action: 's3:GetObject', resource: offer },
      { action: 's3:PutObject', resource: answer },
      { action: 's3:PutObject', resource: `${bucket}/elsewhere.json` },
      { action: 's3:GetBucketLocation', resource: bucket },
      { action: 's3:PutBucketPolicy', resource: bucket },
      { action: 'lambda:UpdateFunctionCode', resource: lambda },
      { action: 'lambda:InvokeFunction', resource: `${lambda}-other` },
      { action: 'lambda:GetFunction', resource: lambda, context: { 'aws:RequestedRegion': 'us-east-1' } },
      // Somebody else who took over the bucket's name gets no offers, and gives no answers.
      { action: 's3:PutObject', resource: offer, context: { 'aws:ResourceAccount': '999999999999' } },
      { action: 's3:GetObject', resource: answer, context: { 'aws:ResourceAccount': '999999999999' } },
    ],
  )
})

test('a client that may not invoke the function may not', () => {
  const state = made({ client_may_invoke: false })
  const { lambda } = places(state)
  expect(
    [text(state, 'client_policy_json')],
    [{ action: 'lambda:GetFunction', resource: lambda }],
    [{ action: 'lambda:InvokeFunction', resource: lambda }],
  )
})

test('the function reads offers, writes answers and its log, and does nothing else', () => {
  const state = made({ regions: ['eu-central-1', 'us-east-1'] })
  const policy = [String(state.at('aws_iam_role_policy.exit[0]').policy)]
  assert.equal(policy, [text(state, 'function_policy_json')])
  for (const region of ['eu-central-1', 'us-east-1']) {
    const { bucket, offer, answer, log } = places(state, region)
    expectOnly(
      policy,
      [
        { action: 's3:GetObject', resource: offer },
        { action: 's3:PutObject', resource: answer },
        { action: 'logs:PutLogEvents', resource: log.replace(/\*$/, 'log-stream:x') },
        { action: 'logs:CreateLogStream', resource: log.replace(/\*$/, 'log-stream:x') },
      ],
      [
        { action: 's3:ListBucket', resource: bucket },
        { action: 's3:PutObject', resource: offer },
        { action: 's3:GetObject', resource: answer },
        { action: 's3:DeleteObject', resource: offer },
        { action: 's3:DeleteObject', resource: answer },
        { action: 's3:GetObject', resource: offer, context: { 'aws:ResourceAccount': '999999999999' } },
        { action: 's3:PutObject', resource: answer, context: { 'aws:ResourceAccount': '999999999999' } },
        { action: 'logs:CreateLogGroup', resource: log },
        { action: 'kms:Decrypt', resource: key },
        { action: 'ec2:CreateNetworkInterface', resource: '*' },
        { action: 'xray:PutTraceSegments', resource: '*' },
      ],
    )
  }
})

test('a key, a network and traces each bring what they need', () => {
  const state = made({
    kms_key_arn: { 'eu-central-1': key },
    vpc_config: { 'eu-central-1': { subnet_ids: ['subnet-1'], security_group_ids: ['sg-1'] } },
    tracing_mode: 'Active',
  })
  const { lambda } = places(state)
  const byTheCode = { 'lambda:SourceFunctionArn': lambda }
  expect(
    [text(state, 'function_policy_json')],
    [
      { action: 'kms:Decrypt', resource: key, context: byTheCode },
      { action: 'kms:GenerateDataKey', resource: key, context: byTheCode },
      { action: 'xray:PutTraceSegments', resource: '*', context: byTheCode },
      // Lambda itself makes the interfaces, under the function's role.
      { action: 'ec2:CreateNetworkInterface', resource: '*' },
    ],
    [
      { action: 'ec2:CreateNetworkInterface', resource: '*', context: byTheCode },
      { action: 'ec2:DescribeSubnets', resource: '*', context: byTheCode },
      { action: 'kms:Decrypt', resource: `${key}-other` },
    ],
  )
  const throughS3 = { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' }
  expect(
    [text(state, 'client_policy_json')],
    [
      { action: 'kms:GenerateDataKey', resource: key, context: throughS3 },
      { action: 'kms:Decrypt', resource: key, context: throughS3 },
    ],
    [
      { action: 'kms:Decrypt', resource: key },
      {
        action: 'kms:Decrypt',
        resource: key,
        context: { 'kms:ViaService': 'lambda.eu-central-1.amazonaws.com' },
      },
    ],
  )
})

test('only Lambda takes the role, only the bucket of this account starts the function', () => {
  const state = made()
  const { Statement } = JSON.parse(String(state.at('aws_iam_role.exit[0]').assume_role_policy))
  assert.equal(Statement, [
    { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } },
  ])
  const { principal, action, source_arn, source_account } = state.at(
    'aws_lambda_permission.offers["eu-central-1"]',
  )
  assert.equal(
    { principal, action, source_arn, source_account },
    {
      principal: 's3.amazonaws.com',
      action: 'lambda:InvokeFunction',
      source_arn: places(state).bucket,
      source_account: account,
    },
  )
})

test('the bucket and its objects refuse everybody who comes by plain HTTP, and nobody else', () => {
  const state = made()
  const { bucket, offer } = places(state)
  const policy = String(state.at('aws_s3_bucket_policy.signalling["eu-central-1"]').policy)
  const [{ Principal }] = JSON.parse(policy).Statement
  assert.is(Principal, '*')
  const everything = JSON.stringify({ Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] })
  const by = (isSecure: string) => ({ context: { 'aws:SecureTransport': isSecure } })
  expect(
    [everything, policy],
    [
      { action: 's3:GetObject', resource: offer, ...by('true') },
      { action: 's3:ListBucket', resource: bucket, ...by('true') },
    ],
    [
      { action: 's3:GetObject', resource: offer, ...by('false') },
      { action: 's3:ListBucket', resource: bucket, ...by('false') },
    ],
  )
})

test("the budget's policy ends new sessions, and its role attaches that policy alone", () => {
  const state = made({ budget: { limit_usd: 20, emails: ['ops@example.com'], roles: ['developers'] } })
  const { offer, answer, lambda } = places(state)
  const stop = state.at('aws_iam_policy.stop_clients[0]')
  expect(
    [text(state, 'client_policy_json'), String(stop.policy)],
    [{ action: 's3:GetObject', resource: answer }],
    [
      { action: 's3:PutObject', resource: offer },
      { action: 'lambda:InvokeFunction', resource: lambda },
    ],
  )
  const { Statement } = JSON.parse(String(state.at('aws_iam_role.budget[0]').assume_role_policy))
  assert.equal(Statement, [
    {
      Effect: 'Allow',
      Action: 'sts:AssumeRole',
      Principal: { Service: 'budgets.amazonaws.com' },
      Condition: { StringEquals: { 'aws:SourceAccount': account } },
    },
  ])
  const role = `arn:aws:iam::${account}:role/developers`
  expect(
    [String(state.at('aws_iam_role_policy.budget[0]').policy)],
    [
      { action: 'iam:AttachRolePolicy', resource: role, context: { 'iam:PolicyARN': String(stop.arn) } },
      { action: 'iam:DetachRolePolicy', resource: role, context: { 'iam:PolicyARN': String(stop.arn) } },
    ],
    [
      {
        action: 'iam:AttachRolePolicy',
        resource: role,
        context: { 'iam:PolicyARN': 'arn:aws:iam::aws:policy/AdministratorAccess' },
      },
      { action: 'iam:PutRolePolicy', resource: role, context: { 'iam:PolicyARN': String(stop.arn) } },
    ],
  )
  const { definition } = state.at('aws_budgets_budget_action.budget[0]') as {
    definition: [{ iam_action_definition: [{ policy_arn: string; roles: string[] }] }]
  }
  const [{ policy_arn, roles }] = definition[0].iam_action_definition
  assert.equal([policy_arn, roles], [stop.arn, ['developers']])
})

test('no policy allows an action by a wildcard', () => {
  const { outputs } = made()
  const policies = ['client', 'function', 'deployer'].map(each =>
    String(outputs[`${each}_policy_json`]!.value),
  )
  assert.equal(
    allowedActions(policies).filter(action => action.includes('*')),
    [],
  )
})

run()
