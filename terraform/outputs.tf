# Written by `bun run synth` from cdktf/. Edit there.

output "name" {
  description = "Name of the stack, also the value of its tag lambda-nat-proxy:stack."
  value       = var.name
}

output "buckets" {
  description = "Name of the signalling bucket, by region."
  value       = { for region, bucket in aws_s3_bucket.signalling : region => bucket.id }
}

output "functions" {
  description = "Name, ARN and log group of the function, by region: name, arn and log_group."
  value       = { for region, function in aws_lambda_function.exit : region => { name = function.function_name, arn = function.arn, log_group = local.log_group } }
}

output "role_arn" {
  description = "ARN of the role that the functions run under."
  value       = var.existing_role == null ? one(aws_iam_role.exit[*].arn) : var.existing_role.arn
}

output "client_policy_json" {
  description = "The least IAM policy for the people who run the client: it writes offers, reads answers and reads the stack's state. It fits in a managed policy with the 17 regions that every account has, or with ten regions that each have a KMS key."
  value       = data.aws_iam_policy_document.client.json
}

output "function_policy_json" {
  description = "The permissions that the function's role needs, for a role of your own (existing_role)."
  value       = data.aws_iam_policy_document.exit.json
}

output "deployer_policy_json" {
  description = "The least IAM policy for whoever applies this module with its present inputs. For the first apply, when there is no output yet, use deployer-policy.json."
  value       = data.aws_iam_policy_document.deployer.json
}
