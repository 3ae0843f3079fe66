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
      "The least IAM policy for the people who run the client: it writes offers, reads answers and looks at the stack's state. It fits a managed policy with as many regions as an account begins with, 17.",
  },
  function_policy_json: {
    value: hcl('data.aws_iam_policy_document.exit.json'),
    description: "What the function's role must be allowed, for a role of your own (existing_role).",
  },
  deployer_policy_json: {
    value: hcl('data.aws_iam_policy_document.deployer.json'),
    description:
      'The least IAM policy for who applies this module with the inputs that it has now. deployer-policy.json has it for the first apply, when there is no output yet.',
  },
}

export const declareOutputs = (scope: Construct) => {
  for (const [id, config] of Object.entries(OUTPUTS)) new TerraformOutput(scope, id, config)
}
