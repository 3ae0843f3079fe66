// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are Terraform's.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { data, type Json, locals, statements } from '../terraform/module.ts'

const test = suite('terraform policies')

const offers = '${formatlist("%s/sessions/*/offer.json", values(local.bucket_arns))}'
const answers = '${formatlist("%s/sessions/*/answer.json", values(local.bucket_arns))}'
const buckets = '${values(local.bucket_arns)}'
const inRegions = [
  { test: 'StringEquals', variable: 'aws:RequestedRegion', values: '${sort(local.regions)}' },
]

/** What a document allows, by the resources it allows it on. */
const allowed = (document: string) =>
  Object.fromEntries(
    statements(document).map(({ effect, actions, resources, ...rest }) => {
      assert.is(effect, 'Allow')
      for (const bound of Object.keys(rest)) assert.ok(['sid', 'condition'].includes(bound), bound)
      return [String(resources), { actions: (actions as string[]).toSorted(), condition: rest.condition }]
    }),
  )
const only = (...actions: string[]) => ({ actions, condition: undefined as Json | undefined })

test('there are the four documents that these tests look at', () => {
  assert.equal(Object.keys(data.aws_iam_policy_document!).sort(), [
    'client',
    'exit',
    'lambda_trust',
    'tls_only',
  ])
})

test('the function may read offers, write answers and write its own log, and nothing else', () => {
  assert.equal(allowed('exit'), {
    [offers]: only('s3:GetObject'),
    [answers]: only('s3:PutObject'),
    '${values(local.log_group_arns)}': only('logs:CreateLogStream', 'logs:PutLogEvents'),
  })
})

test("the role is Lambda's to take", () => {
  assert.equal(statements('lambda_trust'), [
    {
      effect: 'Allow',
      actions: ['sts:AssumeRole'],
      principals: [{ type: 'Service', identifiers: ['lambda.amazonaws.com'] }],
    },
  ])
})

test('the bucket and its objects refuse everybody who comes by plain HTTP', () => {
  const [{ sid: _, ...statement }, ...more] = statements('tls_only') as [Record<string, Json>]
  assert.equal(more, [])
  assert.equal(statement, {
    effect: 'Deny',
    principals: [{ type: '*', identifiers: ['*'] }],
    actions: ['s3:*'],
    resources: ['${local.bucket_arns[each.key]}', '${local.bucket_arns[each.key]}/*'],
    condition: [{ test: 'Bool', variable: 'aws:SecureTransport', values: ['false'] }],
  })
})

test('the client may write offers, read answers, delete both, and look at the stack', () => {
  const { [offers]: offer, [answers]: answer, [buckets]: bucket, '*': stack, ...rest } = allowed('client')
  assert.equal(offer, only('s3:DeleteObject', 's3:PutObject'))
  assert.equal(answer, only('s3:DeleteObject', 's3:GetObject'))
  assert.equal(
    bucket,
    only('s3:GetBucketLocation', 's3:GetBucketNotification', 's3:GetBucketTagging', 's3:ListBucket'),
  )
  assert.equal(stack, { actions: ['cloudwatch:GetMetricData', 'tag:GetResources'], condition: inRegions })

  const [[resources, status], ...more] = Object.entries(rest) as [
    [string, { actions: string[]; condition: Json }],
  ]
  assert.equal(more, [])
  assert.equal(status, {
    actions: [
      'lambda:GetFunction',
      'lambda:GetFunctionConcurrency',
      'lambda:GetFunctionConfiguration',
      'lambda:GetFunctionEventInvokeConfig',
      'lambda:ListTags',
      'logs:FilterLogEvents',
    ],
    condition: inRegions,
  })
  const account = 'data.aws_caller_identity.current.account_id'
  const partition = 'data.aws_partition.current.partition'
  assert.is(
    resources,
    [
      `\${join(":", ["arn", ${partition}, "lambda", "*", ${account}, "function", var.name])}`,
      `\${join(":", ["arn", ${partition}, "logs", "*", ${account}, "log-group", local.log_group, "*"])}`,
    ].join(','),
  )
})

test('ARNs are worked out from names, so that a plan shows policies in full', () => {
  for (const name of ['buckets', 'bucket_arns', 'log_group_arns'])
    assert.not.match(String(locals[name]), /(?<!data\.)aws_\w+\./)
})

test.run()
