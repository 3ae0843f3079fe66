import { DataAwsIamPolicyDocument } from '@cdktf/provider-aws/lib/data-aws-iam-policy-document/index.js'
import type { Construct } from 'constructs'
import { hcl } from './hcl.ts'
import { ACCOUNT, PARTITION } from './names.ts'
import { addOptional, HAS_KEYS, type Statement } from './statements.ts'

// What who applies the module must be allowed: the actions that the AWS provider calls to make, read, change and
// destroy its resources. Names are the stack's own, so that a deployer of one stack cannot touch another's.

/** Where a policy holds; each a text, or a template of Terraform's. */
interface Place {
  partition: string
  account: string
  name: string
  rolePath: string
}

const always = ({ partition, account, name }: Place): Statement[] => {
  const bucket = `arn:${partition}:s3:::${name}-*`
  const lambda = `arn:${partition}:lambda:*:${account}:function:${name}`
  const logs = `arn:${partition}:logs:*:${account}:log-group:/aws/lambda/${name}`
  return [
    {
      sid: 'Buckets',
      actions: [
        's3:CreateBucket',
        's3:DeleteBucket',
        's3:DeleteBucketPolicy',
        's3:GetAccelerateConfiguration',
        's3:GetBucketAcl',
        's3:GetBucketCORS',
        's3:GetBucketLogging',
        's3:GetBucketNotification',
        's3:GetBucketObjectLockConfiguration',
        's3:GetBucketOwnershipControls',
        's3:GetBucketPolicy',
        's3:GetBucketPublicAccessBlock',
        's3:GetBucketRequestPayment',
        's3:GetBucketTagging',
        's3:GetBucketVersioning',
        's3:GetBucketWebsite',
        's3:GetEncryptionConfiguration',
        's3:GetLifecycleConfiguration',
        's3:GetReplicationConfiguration',
        's3:ListBucket',
        's3:ListBucketVersions',
        's3:ListTagsForResource',
        's3:PutBucketNotification',
        's3:PutBucketOwnershipControls',
        's3:PutBucketPolicy',
        's3:PutBucketPublicAccessBlock',
        's3:PutBucketTagging',
        's3:PutEncryptionConfiguration',
        's3:PutLifecycleConfiguration',
        's3:TagResource',
        's3:UntagResource',
      ],
      resources: [bucket],
    },
    // A destroy empties the bucket.
    { sid: 'Objects', actions: ['s3:DeleteObject', 's3:DeleteObjectVersion'], resources: [`${bucket}/*`] },
    {
      sid: 'Functions',
      actions: [
        'lambda:AddPermission',
        'lambda:CreateFunction',
        'lambda:DeleteFunction',
        'lambda:DeleteFunctionCodeSigningConfig',
        'lambda:DeleteFunctionConcurrency',
        'lambda:DeleteFunctionEventInvokeConfig',
        'lambda:GetFunction',
        'lambda:GetFunctionCodeSigningConfig',
        'lambda:GetFunctionConfiguration',
        'lambda:GetFunctionEventInvokeConfig',
        'lambda:GetPolicy',
        'lambda:ListTags',
        'lambda:ListVersionsByFunction',
        'lambda:PutFunctionCodeSigningConfig',
        'lambda:PutFunctionConcurrency',
        'lambda:PutFunctionEventInvokeConfig',
        'lambda:RemovePermission',
        'lambda:TagResource',
        'lambda:UntagResource',
        'lambda:UpdateFunctionCode',
        'lambda:UpdateFunctionConfiguration',
      ],
      resources: [lambda, `${lambda}:*`],
    },
    {
      sid: 'LogGroups',
      actions: [
        'logs:AssociateKmsKey',
        'logs:CreateLogGroup',
        'logs:DeleteLogGroup',
        'logs:DeleteRetentionPolicy',
        'logs:DisassociateKmsKey',
        'logs:ListTagsForResource',
        'logs:PutRetentionPolicy',
        'logs:TagResource',
        'logs:UntagResource',
      ],
      resources: [logs, `${logs}:*`],
    },
    // For `deploy` itself: what the account has room for, and where the stack is already. Neither knows resources.
    { sid: 'Deploy', actions: ['lambda:GetAccountSettings', 'tag:GetResources'], resources: ['*'] },
    // It knows no single group.
    {
      sid: 'FindLogGroups',
      actions: ['logs:DescribeLogGroups'],
      resources: [`arn:${partition}:logs:*:${account}:log-group:*`],
    },
  ]
}

/**
 * A role by its name. Who may write a role's policy and hand the role to a function can do whatever that policy says:
 * with a boundary set, only within it.
 */
const roleStatements = (sid: string, role: string, service: string): Statement[] => [
  {
    sid,
    actions: [
      'iam:DeleteRole',
      'iam:DeleteRolePolicy',
      'iam:GetRole',
      'iam:GetRolePolicy',
      'iam:ListAttachedRolePolicies',
      'iam:ListInstanceProfilesForRole',
      'iam:ListRolePolicies',
      'iam:TagRole',
      'iam:UntagRole',
      'iam:UpdateAssumeRolePolicy',
      'iam:UpdateRole',
      'iam:UpdateRoleDescription',
    ],
    resources: [role],
  },
  passRole(`Pass${sid}`, [role], service),
]
const WRITE_ROLE = ['iam:CreateRole', 'iam:PutRolePermissionsBoundary', 'iam:PutRolePolicy']
const writeAnyRole = (roles: string[]): Statement => ({
  sid: 'WriteRoles',
  actions: ['iam:DeleteRolePermissionsBoundary', ...WRITE_ROLE],
  resources: roles,
})
const writeBoundRole = (roles: string[]): Statement => ({
  sid: 'WriteRolesWithinBoundary',
  actions: WRITE_ROLE,
  resources: roles,
  condition: [
    {
      test: 'StringEquals',
      variable: 'iam:PermissionsBoundary',
      values: [hcl('var.role_permissions_boundary')],
    },
  ],
})

const exitRole = ({ partition, account, name, rolePath }: Place) =>
  `arn:${partition}:iam::${account}:role${rolePath}${name}`
const budgetRole = (place: Place) => `${exitRole(place)}-budget`

const passRole = (sid: string, resources: string[], service: string): Statement => ({
  sid,
  actions: ['iam:PassRole'],
  resources,
  condition: [
    { test: 'StringEquals', variable: 'iam:PassedToService', values: [`${service}.amazonaws.com`] },
  ],
})

const ofBudget = (place: Place): Statement[] => {
  const { partition, account, name, rolePath } = place
  const budget = `arn:${partition}:budgets::${account}:budget/${name}`
  return [
    {
      sid: 'Budget',
      actions: [
        'budgets:CreateBudgetAction',
        'budgets:DeleteBudgetAction',
        'budgets:DescribeBudgetAction',
        'budgets:ListTagsForResource',
        'budgets:ModifyBudget',
        'budgets:TagResource',
        'budgets:UntagResource',
        'budgets:UpdateBudgetAction',
        'budgets:ViewBudget',
      ],
      resources: [budget, `${budget}/action/*`],
    },
    {
      sid: 'BudgetPolicy',
      actions: [
        'iam:CreatePolicy',
        'iam:CreatePolicyVersion',
        'iam:DeletePolicy',
        'iam:DeletePolicyVersion',
        'iam:GetPolicy',
        'iam:GetPolicyVersion',
        'iam:ListPolicyVersions',
        'iam:TagPolicy',
        'iam:UntagPolicy',
      ],
      resources: [`arn:${partition}:iam::${account}:policy${rolePath}${name}-stop`],
    },
    ...roleStatements('BudgetRole', budgetRole(place), 'budgets'),
  ]
}

const OWN_ROLE = 'var.existing_role == null'

/** What inputs ask for beyond the rest, each while it is set. */
const whenSet = (place: Place): [when: string, Statement][] => [
  ...roleStatements('Role', exitRole(place), 'lambda').map((each): [string, Statement] => [OWN_ROLE, each]),
  ...([writeAnyRole, writeBoundRole] as const).map((write, bound): [string, Statement] => [
    `(${OWN_ROLE} || var.budget != null) && var.role_permissions_boundary ${bound ? '!=' : '=='} null`,
    {
      ...write([]),
      resources: hcl(
        `concat(${OWN_ROLE} ? ["${exitRole(place)}"] : [], var.budget != null ? ["${budgetRole(place)}"] : [])`,
      ),
    },
  ]),
  ['var.existing_role != null', passRole('PassThatRole', [hcl('var.existing_role.arn')], 'lambda')],
  ...ofBudget(place).map((each): [string, Statement] => ['var.budget != null', each]),
  [
    'length(var.function_s3) > 0',
    {
      sid: 'Code',
      actions: ['s3:GetObject', 's3:GetObjectVersion'],
      resources: hcl(
        `[for object in values(var.function_s3) : "arn:${place.partition}:s3:::\${object.bucket}/\${object.key}"]`,
      ),
    },
  ],
  [
    HAS_KEYS,
    {
      sid: 'Keys',
      actions: ['kms:CreateGrant', 'kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'],
      resources: hcl('values(var.kms_key_arn)'),
    },
  ],
  [
    'length(var.code_signing_config_arn) > 0',
    {
      sid: 'CodeSigning',
      actions: ['lambda:GetCodeSigningConfig'],
      resources: hcl('values(var.code_signing_config_arn)'),
    },
  ],
  // None of them knows resources.
  [
    'length(var.vpc_config) > 0',
    {
      sid: 'Network',
      actions: [
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeSecurityGroups',
        'ec2:DescribeSubnets',
        'ec2:DescribeVpcs',
      ],
      resources: ['*'],
    },
  ],
]

/** The policy of the module as its inputs are. */
export const declareDeployerPolicy = (scope: Construct) => {
  const place = {
    partition: hcl(PARTITION),
    account: hcl(ACCOUNT),
    name: hcl('local.name'),
    rolePath: hcl('var.role_path'),
  }
  const document = new DataAwsIamPolicyDocument(scope, 'deployer', { statement: always(place) as never })
  addOptional(document, whenSet(place))
}

/** The policy for a first apply with the default name and nothing optional, in any account. */
export const deployerPolicy = () => {
  const place = { partition: 'aws', account: '*', name: 'lambda-nat-proxy', rolePath: '/' }
  const role = exitRole(place)
  const statements = [...always(place), ...roleStatements('Role', role, 'lambda'), writeAnyRole([role])].map(
    ({ sid, actions, resources, condition }) => ({
      Sid: sid,
      Effect: 'Allow',
      Action: actions,
      Resource: resources,
      ...(condition && {
        Condition: Object.fromEntries(
          condition.map(({ test, variable, values }) => [test, { [variable]: values }]),
        ),
      }),
    }),
  )
  return { Version: '2012-10-17', Statement: statements }
}
