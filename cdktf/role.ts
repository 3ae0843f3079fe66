import { DataAwsIamPolicyDocument } from '@cdktf/provider-aws/lib/data-aws-iam-policy-document/index.js'
import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js'
import { IamRolePolicy } from '@cdktf/provider-aws/lib/iam-role-policy/index.js'
import { Construct } from 'constructs'
import { answerKey, offerKey } from '../tunnel/signalling/keys.ts'
import { hcl, hclList, hclMap } from './hcl.ts'

/** What the function may do, in every region: read offers, write answers, write its own log. */
export class ExitRole extends Construct {
  readonly role: IamRole
  readonly policy: IamRolePolicy

  constructor(scope: Construct, id: string) {
    super(scope, id)

    const trust = new DataAwsIamPolicyDocument(this, 'lambda_trust', {
      statement: [
        {
          actions: ['sts:AssumeRole'],
          principals: [{ type: 'Service', identifiers: ['lambda.amazonaws.com'] }],
        },
      ],
    })
    this.role = new IamRole(this, 'role', {
      name: hcl('var.name'),
      description: 'Exit of lambda-nat-proxy: reads offers, writes answers and its own log.',
      assumeRolePolicy: trust.json,
      tags: hclMap('local.tags'),
    })

    // No s3:ListBucket: the function reads only what an event has just named. The log groups are Terraform's to make.
    const permissions = new DataAwsIamPolicyDocument(this, 'exit', {
      statement: [
        {
          sid: 'ReadOffers',
          actions: ['s3:GetObject'],
          resources: hclList(`formatlist("%s/${offerKey('*')}", values(local.bucket_arns))`),
        },
        {
          sid: 'WriteAnswers',
          actions: ['s3:PutObject'],
          resources: hclList(`formatlist("%s/${answerKey('*')}", values(local.bucket_arns))`),
        },
        {
          sid: 'WriteLog',
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resources: hclList('values(local.log_group_arns)'),
        },
      ],
    })
    this.policy = new IamRolePolicy(this, 'policy', {
      name: 'exit',
      role: this.role.id,
      policy: permissions.json,
    })
  }
}
