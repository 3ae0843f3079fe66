import { DataAwsIamPolicyDocument } from '@cdktf/provider-aws/lib/data-aws-iam-policy-document/index.js'
import type { Construct } from 'constructs'
import { answerKey, offerKey } from '../tunnel/signalling/keys.ts'
import { hcl, hclList } from './hcl.ts'
import { functionArn, logGroupArn } from './names.ts'

const objects = (pattern: string) => hclList(`formatlist("%s/${pattern}", values(local.bucket_arns))`)

// A managed policy has room for 6,144 characters. Naming the stack's regions once, here, and not in an ARN for each
// leaves room for all the regions that an account has from its first day.
const inRegions = [
  { test: 'StringEquals', variable: 'aws:RequestedRegion', values: hclList('sort(local.regions)') },
]

/** The least that a person needs who runs the client: sessions, and a look at the stack's state. */
export const declareClientPolicy = (scope: Construct) =>
  new DataAwsIamPolicyDocument(scope, 'client', {
    statement: [
      // A client has no need to read offers, which are other people's addresses and passwords.
      { sid: 'Offers', actions: ['s3:PutObject', 's3:DeleteObject'], resources: objects(offerKey('*')) },
      { sid: 'Answers', actions: ['s3:GetObject', 's3:DeleteObject'], resources: objects(answerKey('*')) },
      // With s3:ListBucket an answer that is not there yet is NoSuchKey, without it AccessDenied. A condition on
      // s3:prefix would undo that, as a GetObject carries no prefix; the bucket holds nothing but sessions.
      {
        sid: 'Bucket',
        actions: ['s3:ListBucket', 's3:GetBucketLocation', 's3:GetBucketNotification', 's3:GetBucketTagging'],
        resources: hclList('values(local.bucket_arns)'),
      },
      {
        sid: 'Function',
        actions: [
          'lambda:GetFunction',
          'lambda:GetFunctionConcurrency',
          'lambda:GetFunctionConfiguration',
          'lambda:GetFunctionEventInvokeConfig',
          'lambda:ListTags',
          'logs:FilterLogEvents',
        ],
        resources: [hcl(functionArn('"*"')), hcl(logGroupArn('"*"'))],
        condition: inRegions,
      },
      // Neither action knows resources.
      {
        sid: 'Stack',
        actions: ['cloudwatch:GetMetricData', 'tag:GetResources'],
        resources: ['*'],
        condition: inRegions,
      },
    ],
  })
