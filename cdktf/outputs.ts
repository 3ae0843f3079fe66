import { TerraformOutput, type TerraformOutputConfig } from 'cdktf'
import type { Construct } from 'constructs'
import { hcl } from './hcl.ts'

/** What the importer gets, in the order of the README's table. */
const OUTPUTS: Record<string, TerraformOutputConfig> = {
  name: {
    value: hcl('var.name'),
    description: 'Name of the stack, also the value of its tag lambda-nat-proxy:stack.',
  },
  buckets: {
    value: hcl('{ for region, bucket in aws_s3_bucket.signalling : region => bucket.id }'),
    description: 'Name of the signalling bucket, by region.',
  },
  functions: {
    value: hcl(
      '{ for region, function in aws_lambda_function.exit : region => { name = function.function_name, arn = function.arn, log_group = local.log_group } }',
    ),
    description: 'Name, ARN and log group of the function, by region.',
  },
  role_arn: {
    value: hcl('aws_iam_role.exit.arn'),
    description: 'ARN of the role that the functions run under.',
  },
  client_policy_json: {
    value: hcl('data.aws_iam_policy_document.client.json'),
    description: 'The least IAM policy for the people who run the client: sessions, and read-only status.',
  },
}

export const declareOutputs = (scope: Construct) => {
  for (const [id, config] of Object.entries(OUTPUTS)) new TerraformOutput(scope, id, config)
}
