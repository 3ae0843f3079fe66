import { DataAwsIamPolicyDocument } from '@cdktf/provider-aws/lib/data-aws-iam-policy-document/index.js'
import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js'
import { IamRolePolicy } from '@cdktf/provider-aws/lib/iam-role-policy/index.js'
import { Construct } from 'constructs'
import { answerKey, offerKey } from '../tunnel/signalling/keys.ts'
import { hcl, hclList, hclMap, hclNumber, only } from './hcl.ts'
import { comment } from './hcl-blocks.ts'
import { functionArn } from './names.ts'
import { addOptional, HAS_KEYS, inAccount, useOfKeys } from './statements.ts'

/** The role's own, where the importer brings none. */
const OWN = hclNumber('var.existing_role == null ? 1 : 0')
const IN_VPC = 'length(var.vpc_config) > 0'
const INTERFACES = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
]

/** What the function may do, in every region: read offers, write answers, write its own log. */
export class ExitRole extends Construct {
  readonly policy: IamRolePolicy
  readonly arn: string

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
    const role = new IamRole(this, 'role', {
      count: OWN,
      name: hcl('local.name'),
      path: hcl('var.role_path'),
      description: 'Exit of lambda-nat-proxy: reads offers, writes answers and its own log.',
      permissionsBoundary: hcl('var.role_permissions_boundary'),
      assumeRolePolicy: trust.json,
      tags: hclMap('local.tags'),
    })
    this.arn = hcl(`var.existing_role == null ? one(aws_iam_role.exit[*].arn) : var.existing_role.arn`)

    const permissions = new DataAwsIamPolicyDocument(this, 'exit', {
      statement: [
        {
          sid: 'ReadOffers',
          actions: ['s3:GetObject'],
          resources: hclList(`formatlist("%s/${offerKey('*')}", values(local.bucket_arns))`),
          condition: [inAccount],
        },
        {
          sid: 'WriteAnswers',
          actions: ['s3:PutObject'],
          resources: hclList(`formatlist("%s/${answerKey('*')}", values(local.bucket_arns))`),
          condition: [inAccount],
        },
        {
          sid: 'WriteLog',
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resources: hclList('values(local.log_group_arns)'),
        },
      ],
    })
    comment(
      permissions,
      'No s3:ListBucket: the function reads only what an event has just named. No logs:CreateLogGroup:',
      "the log groups are this module's to make.",
    )
    // Lambda makes the interfaces under the function's role; the code that runs under it has no use for them.
    addOptional(permissions, [
      [HAS_KEYS, useOfKeys],
      [
        'var.tracing_mode == "Active"',
        { sid: 'Trace', actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], resources: ['*'] },
      ],
      [IN_VPC, { sid: 'Interfaces', actions: INTERFACES, resources: ['*'] }],
      [
        IN_VPC,
        {
          sid: 'NotByTheCode',
          effect: 'Deny',
          actions: INTERFACES,
          resources: ['*'],
          condition: [
            { test: 'ArnLike', variable: 'lambda:SourceFunctionArn', values: [hcl(functionArn('"*"'))] },
          ],
        },
      ],
    ])
    this.policy = new IamRolePolicy(this, 'policy', {
      count: OWN,
      name: 'exit',
      role: only(role, 'id'),
      policy: permissions.json,
    })
  }
}
