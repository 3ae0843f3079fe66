import { DataAwsIamPolicyDocument } from '@cdktf/provider-aws/lib/data-aws-iam-policy-document/index.js'
import type { Construct } from 'constructs'
import { answerKey, offerKey } from '../tunnel/signalling/keys.ts'
import { array, hcl, hclList } from './hcl.ts'
import { functionArn, logGroupArn } from './names.ts'
import { addOptional, HAS_KEYS, inAccount, inRegions, useOfKeys } from './statements.ts'

const STATUS = [
  'lambda:GetFunction',
  'lambda:GetFunctionEventInvokeConfig',
  'lambda:ListTags',
  'logs:FilterLogEvents',
]

/** The least that a person needs who runs the client: sessions, and a look at the stack's state. */
export const declareClientPolicy = (scope: Construct) => {
  const document = new DataAwsIamPolicyDocument(scope, 'client', {
    statement: [
      // A client has no need to read offers, which are other people's addresses and passwords.
      {
        sid: 'Offers',
        actions: ['s3:PutObject', 's3:DeleteObject'],
        resources: hclList(`formatlist("%s/${offerKey('*')}", values(local.bucket_arns))`),
        condition: [inAccount],
      },
      // With s3:ListBucket an answer that is not there yet is NoSuchKey, without it AccessDenied. A condition on
      // s3:prefix would undo that, as a GetObject carries no prefix; the bucket holds nothing but sessions.
      // One statement for objects and buckets, each with actions of its own, is shorter than two.
      {
        sid: 'Answers',
        actions: ['s3:GetObject', 's3:DeleteObject', 's3:ListBucket', 's3:GetBucketNotification'],
        resources: hclList(
          `concat(formatlist("%s/${answerKey('*')}", values(local.bucket_arns)), values(local.bucket_arns))`,
        ),
        condition: [inAccount],
      },
      {
        sid: 'Function',
        actions: hclList(`concat(${array(STATUS)}, var.client_may_invoke ? ["lambda:InvokeFunction"] : [])`),
        resources: [hcl(functionArn('"*"')), hcl(logGroupArn('"*"'))],
        condition: [inRegions],
      },
      // Neither action knows resources.
      {
        sid: 'Stack',
        actions: ['cloudwatch:GetMetricData', 'tag:GetResources'],
        resources: ['*'],
        condition: [inRegions],
      },
    ],
  })
  addOptional(document, [
    // Through S3 alone, and so for nothing but the bucket's objects.
    [
      HAS_KEYS,
      {
        ...useOfKeys,
        condition: [
          {
            test: 'StringEquals',
            variable: 'kms:ViaService',
            values: hcl('formatlist("s3.%s.%s", sort(local.regions), data.aws_partition.current.dns_suffix)'),
          },
        ],
      },
    ],
  ])
}
