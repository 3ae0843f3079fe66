// What the AWS provider asks of AWS for each type of resource that the module makes: to make it, to read it at every
// plan, to change it and to destroy it. Read in the provider's source (internal/service/*, version 6), each call under
// the name of the action that IAM knows it by (Service Authorization Reference); HeadBucket is s3:ListBucket, deletions
// of a bucket's parts are s3:Put… of them, CreateFunction asks for iam:PassRole.

const roleTags = ['iam:TagRole', 'iam:UntagRole']
const deletesRole = ['iam:DeleteRole', 'iam:ListInstanceProfilesForRole', 'iam:ListAttachedRolePolicies']

export const PROVIDER_ACTIONS: Record<string, string[]> = {
  aws_s3_bucket: [
    ...['s3:CreateBucket', 's3:ListBucket', 's3:PutBucketTagging', 's3:TagResource', 's3:UntagResource'],
    // Its read looks at everything that the resource could once set itself.
    ...[
      's3:GetBucketPolicy',
      's3:GetBucketAcl',
      's3:GetBucketCORS',
      's3:GetBucketWebsite',
      's3:GetBucketVersioning',
    ],
    ...['s3:GetAccelerateConfiguration', 's3:GetBucketRequestPayment', 's3:GetBucketLogging'],
    ...['s3:GetLifecycleConfiguration', 's3:GetReplicationConfiguration', 's3:GetEncryptionConfiguration'],
    ...['s3:GetBucketObjectLockConfiguration', 's3:GetBucketTagging', 's3:ListTagsForResource'],
    // force_destroy empties it first.
    ...['s3:DeleteBucket', 's3:ListBucketVersions', 's3:DeleteObject', 's3:DeleteObjectVersion'],
  ],
  aws_s3_bucket_public_access_block: ['s3:PutBucketPublicAccessBlock', 's3:GetBucketPublicAccessBlock'],
  aws_s3_bucket_ownership_controls: ['s3:PutBucketOwnershipControls', 's3:GetBucketOwnershipControls'],
  aws_s3_bucket_server_side_encryption_configuration: [
    's3:PutEncryptionConfiguration',
    's3:GetEncryptionConfiguration',
  ],
  aws_s3_bucket_lifecycle_configuration: ['s3:PutLifecycleConfiguration', 's3:GetLifecycleConfiguration'],
  aws_s3_bucket_policy: ['s3:PutBucketPolicy', 's3:GetBucketPolicy', 's3:DeleteBucketPolicy'],
  aws_s3_bucket_notification: ['s3:PutBucketNotification', 's3:GetBucketNotification'],
  aws_cloudwatch_log_group: [
    ...['logs:CreateLogGroup', 'logs:DescribeLogGroups', 'logs:DeleteLogGroup'],
    ...[
      'logs:PutRetentionPolicy',
      'logs:DeleteRetentionPolicy',
      'logs:AssociateKmsKey',
      'logs:DisassociateKmsKey',
    ],
    ...['logs:ListTagsForResource', 'logs:TagResource', 'logs:UntagResource'],
  ],
  aws_iam_role: [
    ...[
      'iam:CreateRole',
      'iam:GetRole',
      'iam:ListRolePolicies',
      'iam:ListAttachedRolePolicies',
      'iam:GetRolePolicy',
    ],
    ...['iam:UpdateRole', 'iam:UpdateRoleDescription', 'iam:UpdateAssumeRolePolicy'],
    ...['iam:PutRolePermissionsBoundary', 'iam:DeleteRolePermissionsBoundary', ...roleTags, ...deletesRole],
  ],
  aws_iam_role_policy: ['iam:PutRolePolicy', 'iam:GetRolePolicy', 'iam:DeleteRolePolicy'],
  aws_lambda_function: [
    ...['lambda:CreateFunction', 'iam:PassRole', 'lambda:GetFunction', 'lambda:GetFunctionConfiguration'],
    ...['lambda:ListVersionsByFunction', 'lambda:GetFunctionCodeSigningConfig', 'lambda:ListTags'],
    ...['lambda:UpdateFunctionCode', 'lambda:UpdateFunctionConfiguration', 'lambda:DeleteFunction'],
    ...['lambda:PutFunctionConcurrency', 'lambda:DeleteFunctionConcurrency'],
    ...['lambda:PutFunctionCodeSigningConfig', 'lambda:DeleteFunctionCodeSigningConfig'],
    ...['lambda:TagResource', 'lambda:UntagResource'],
  ],
  aws_lambda_function_event_invoke_config: [
    'lambda:PutFunctionEventInvokeConfig',
    'lambda:GetFunctionEventInvokeConfig',
    'lambda:DeleteFunctionEventInvokeConfig',
  ],
  aws_lambda_permission: ['lambda:AddPermission', 'lambda:GetPolicy', 'lambda:RemovePermission'],
  aws_budgets_budget: [
    ...['budgets:ModifyBudget', 'budgets:ViewBudget'],
    ...['budgets:ListTagsForResource', 'budgets:TagResource', 'budgets:UntagResource'],
  ],
  aws_budgets_budget_action: [
    ...['budgets:CreateBudgetAction', 'iam:PassRole', 'budgets:DescribeBudgetAction'],
    ...['budgets:UpdateBudgetAction', 'budgets:DeleteBudgetAction'],
  ],
  aws_iam_policy: [
    ...[
      'iam:CreatePolicy',
      'iam:GetPolicy',
      'iam:GetPolicyVersion',
      'iam:ListPolicyVersions',
      'iam:DeletePolicy',
    ],
    ...['iam:CreatePolicyVersion', 'iam:DeletePolicyVersion', 'iam:TagPolicy', 'iam:UntagPolicy'],
  ],
}

/** What AWS asks for further while an input is set, of whoever makes the function. */
export const INPUT_ACTIONS: Record<string, string[]> = {
  function_s3: ['s3:GetObject', 's3:GetObjectVersion'],
  kms_key_arn: ['kms:CreateGrant', 'kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'],
  vpc_config: [
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSecurityGroups',
    'ec2:DescribeSubnets',
    'ec2:DescribeVpcs',
  ],
  code_signing_config_arn: ['lambda:GetCodeSigningConfig'],
}

/** What `lambda-nat-proxy deploy` and `destroy` ask themselves, beside what the client's policy allows anyway. */
export const DEPLOY_ACTIONS = ['lambda:GetAccountSettings', 'lambda:GetFunction', 'tag:GetResources']
