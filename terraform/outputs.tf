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
  description = "Name, ARN and log group of the function, by region."
  value       = { for region, function in aws_lambda_function.exit : region => { name = function.function_name, arn = function.arn, log_group = local.log_group } }
}

output "role_arn" {
  description = "ARN of the role that the functions run under."
  value       = aws_iam_role.exit.arn
}

output "client_policy_json" {
  description = "The least IAM policy for the people who run the client: sessions, and read-only status."
  value       = data.aws_iam_policy_document.client.json
}
