import { TerraformOutput, type TerraformOutputConfig } from 'cdktf'
import type { Construct } from 'constructs'
import { hcl } from './hcl.ts'

/** What the importer gets, in the order of the README's table. */
export const OUTPUTS: Record<string, TerraformOutputConfig> = {
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
    description: 'Name, ARN and log group of the function, by region: name, arn and log_group.',
  },
  role_arn: {
    value: hcl('var.existing_role == null ? one(aws_iam_role.exit[*].arn) : var.existing_role.arn'),
    description: 'ARN of the role that the functions run under.',
  },
  client_policy_json: {
    value: hcl('data.aws_iam_policy_document.client.json'),
    description:
      "The least IAM policy for the people who run the client: it writes offers, reads answers and reads the stack's state. It fits in a managed policy with the 17 regions that every account has, or with ten regions that each have a KMS key.",
  },
  function_policy_json: {
    value: hcl('data.aws_iam_policy_document.exit.json'),
    description: "The permissions that the function's role needs, for a role of your own (existing_role).",
  },
  deployer_policy_json: {
    value: hcl('data.aws_iam_policy_document.deployer.json'),
    description:
      'The least IAM policy for whoever applies this module with its present inputs. For the first apply, when there is no output yet, use deployer-policy.json.',
  },
}

export const declareOutputs = (scope: Construct) => {
  for (const [id, config] of Object.entries(OUTPUTS)) new TerraformOutput(scope, id, config)
}
