# The function runs under a role that somebody else makes, within a permissions boundary. The module then makes no role
# and needs no right to make one.

terraform {
  required_version = ">= 1.5.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.25.0, < 7.0.0"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
}

variable "permissions_boundary" {
  type        = string
  description = "ARN of the policy that bounds every role of this account."
}

variable "function_zip" {
  type        = string
  description = "Path of the bundle, as bun run build writes it."
}

resource "aws_iam_role" "exit" {
  name                 = "app-proxy-exit"
  path                 = "/apps/"
  permissions_boundary = var.permissions_boundary
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

module "proxy" {
  source = "../.."

  name          = "proxy"
  name_prefix   = "app-"
  existing_role = { arn = aws_iam_role.exit.arn }
  function_zip  = var.function_zip
}

# The boundary must allow as much, too.
resource "aws_iam_role_policy" "exit" {
  name   = "exit"
  role   = aws_iam_role.exit.name
  policy = module.proxy.function_policy_json
}
