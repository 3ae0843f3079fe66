# A role that a pipeline deploys with, by OpenID Connect and so without a stored key: deploy.yml beside this file is the
# pipeline. Applied once by an administrator; the stack itself is applied by the pipeline.

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

variable "repository" {
  type        = string
  description = "GitHub repository of the pipeline, as owner/name."
}

variable "state_bucket" {
  type        = string
  description = "Bucket of the Terraform state."
}

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }

    # Only a job of this environment, which GitHub can make wait for a reviewer.
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:${var.repository}:environment:production"]
    }
  }
}

resource "aws_iam_role" "deployer" {
  name               = "lambda-nat-proxy-deployer"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "deploy" {
  name   = "deploy"
  role   = aws_iam_role.deployer.name
  policy = file("${path.module}/../../deployer-policy.json")
}

data "aws_iam_policy_document" "state" {
  statement {
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::${var.state_bucket}"]
  }

  # The lock is a file beside the state, and is deleted again.
  statement {
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["arn:aws:s3:::${var.state_bucket}/lambda-nat-proxy/*"]
  }

  statement {
    actions   = ["s3:DeleteObject"]
    resources = ["arn:aws:s3:::${var.state_bucket}/lambda-nat-proxy/*.tflock"]
  }
}

resource "aws_iam_role_policy" "state" {
  name   = "state"
  role   = aws_iam_role.deployer.name
  policy = data.aws_iam_policy_document.state.json
}

output "role_arn" {
  description = "What the pipeline assumes."
  value       = aws_iam_role.deployer.arn
}
