# Exits in several regions for a team: one provider serves them all. The bundle comes from a bucket in each region, as
# Lambda reads code only from its own. A cap on concurrency and a budget bound the cost.

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

locals {
  regions = ["eu-central-1", "us-east-1", "ap-southeast-2"]
}

variable "bundle_version" {
  type        = map(string)
  description = "Object version of function.zip in each region's bucket."
}

module "proxy" {
  source = "../.."

  name    = "team-proxy"
  regions = local.regions
  function_s3 = {
    for region in local.regions : region => {
      bucket  = "team-builds-${region}"
      key     = "lambda-nat-proxy/function.zip"
      version = var.bundle_version[region]
    }
  }

  # Five people at once in each region.
  sessions             = 5
  reserved_concurrency = 10

  budget = {
    limit_usd = 50
    emails    = ["platform@example.com"]
    roles     = [aws_iam_role.developer.name]
  }

  tags = { team = "platform" }
}

data "aws_caller_identity" "current" {}

resource "aws_iam_role" "developer" {
  name = "team-proxy-user"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = data.aws_caller_identity.current.account_id }
    }]
  })
}

resource "aws_iam_role_policy" "client" {
  name   = "client"
  role   = aws_iam_role.developer.name
  policy = module.proxy.client_policy_json
}

output "buckets" {
  description = "What clients are started with, by region."
  value       = module.proxy.buckets
}
