# One exit, from a release's bundle, and the policy for the people who use it.

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

variable "release" {
  type        = object({ url = string, sha256 = string })
  description = "URL of a release's function.zip, and its checksum from SHA256SUMS."
}

module "proxy" {
  source = "../.."

  function_release = var.release
}

resource "aws_iam_group" "users" {
  name = "proxy-users"
}

resource "aws_iam_group_policy" "client" {
  name   = "proxy-client"
  group  = aws_iam_group.users.name
  policy = module.proxy.client_policy_json
}

output "buckets" {
  description = "What clients are started with: run --bucket NAME --region REGION."
  value       = module.proxy.buckets
}
