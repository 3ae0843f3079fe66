# Written by `bun run synth` from cdktf/. Edit there.

locals {
  name    = "${var.name_prefix}${var.name}"
  regions = length(var.regions) > 0 ? var.regions : toset([data.aws_region.current.region])
  modes = {
    test = {
      memory_mb = 128
      timeout_s = 120
    }
    normal = {
      memory_mb = 256
      timeout_s = 600
    }
    performance = {
      memory_mb = 512
      timeout_s = 900
    }
  }
  memory_mb      = coalesce(var.memory_mb, local.modes[var.mode].memory_mb)
  buckets        = { for region in local.regions : region => join("-", [local.name, region, substr(sha256(data.aws_caller_identity.current.account_id), 0, 8)]) }
  bucket_arns    = { for region in local.regions : region => join(":", ["arn", data.aws_partition.current.partition, "s3", "", "", local.buckets[region]]) }
  log_group      = "/aws/lambda/${local.name}"
  log_group_arns = { for region in local.regions : region => join(":", ["arn", data.aws_partition.current.partition, "logs", region, data.aws_caller_identity.current.account_id, "log-group", local.log_group, "*"]) }
  function_zip   = coalesce(var.function_zip, "${path.module}/${({ x86_64 = "function.zip", arm64 = "function-arm64.zip" }[var.architecture])}")
  release_hash   = var.function_release == null ? null : format("%.43s=", join("", [for at in range(0, 66, 6) : join("", [for unit in [262144, 4096, 64, 1] : substr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", floor(parseint(substr("${var.function_release.sha256}00", at, 6), 16) / unit) % 64, 1)])]))
  budget_acts    = try(length(concat(var.budget.roles, var.budget.groups, var.budget.users)) > 0, false)
  tags           = merge(var.tags, { "lambda-nat-proxy:stack" = var.name })
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_iam_policy_document" "tls_only" {
  for_each = toset(local.regions)

  statement {
    sid       = "RefusePlainHttp"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [local.bucket_arns[each.key], "${local.bucket_arns[each.key]}/*"]

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }

    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}

data "aws_iam_policy_document" "lambda_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

# No s3:ListBucket: the function reads only what an event has just named. No logs:CreateLogGroup:
# the log groups are this module's to make.
data "aws_iam_policy_document" "exit" {
  statement {
    sid       = "ReadOffers"
    actions   = ["s3:GetObject"]
    resources = formatlist("%s/sessions/*/offer.json", values(local.bucket_arns))

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }

  statement {
    sid       = "WriteAnswers"
    actions   = ["s3:PutObject"]
    resources = formatlist("%s/sessions/*/answer.json", values(local.bucket_arns))

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }

  statement {
    sid       = "WriteLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = values(local.log_group_arns)
  }

  dynamic "statement" {
    for_each = length(var.kms_key_arn) > 0 ? [1] : []

    content {
      sid       = "Keys"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = values(var.kms_key_arn)
    }
  }

  dynamic "statement" {
    for_each = var.tracing_mode == "Active" ? [1] : []

    content {
      sid       = "Trace"
      actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = length(var.vpc_config) > 0 ? [1] : []

    content {
      sid = "Interfaces"
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = length(var.vpc_config) > 0 ? [1] : []

    content {
      sid    = "NotByTheCode"
      effect = "Deny"
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"]

      condition {
        test     = "ArnLike"
        variable = "lambda:SourceFunctionArn"
        values   = [join(":", ["arn", data.aws_partition.current.partition, "lambda", "*", data.aws_caller_identity.current.account_id, "function", local.name])]
      }
    }
  }
}

data "aws_iam_policy_document" "client" {
  statement {
    sid       = "Offers"
    actions   = ["s3:PutObject", "s3:DeleteObject"]
    resources = formatlist("%s/sessions/*/offer.json", values(local.bucket_arns))

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }

  statement {
    sid       = "Answers"
    actions   = ["s3:GetObject", "s3:DeleteObject", "s3:ListBucket", "s3:GetBucketNotification"]
    resources = concat(formatlist("%s/sessions/*/answer.json", values(local.bucket_arns)), values(local.bucket_arns))

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }

  statement {
    sid     = "Function"
    actions = concat(["lambda:GetFunction", "lambda:GetFunctionEventInvokeConfig", "lambda:ListTags", "logs:FilterLogEvents"], var.client_may_invoke ? ["lambda:InvokeFunction"] : [])
    resources = [
      join(":", ["arn", data.aws_partition.current.partition, "lambda", "*", data.aws_caller_identity.current.account_id, "function", local.name]),
      join(":", ["arn", data.aws_partition.current.partition, "logs", "*", data.aws_caller_identity.current.account_id, "log-group", local.log_group, "*"]),
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = sort(local.regions)
    }
  }

  statement {
    sid       = "Stack"
    actions   = ["cloudwatch:GetMetricData", "tag:GetResources"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = sort(local.regions)
    }
  }

  dynamic "statement" {
    for_each = length(var.kms_key_arn) > 0 ? [1] : []

    content {
      sid       = "Keys"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = values(var.kms_key_arn)

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = formatlist("s3.%s.%s", sort(local.regions), data.aws_partition.current.dns_suffix)
      }
    }
  }
}

data "aws_iam_policy_document" "deployer" {
  statement {
    sid = "Buckets"
    actions = [
      "s3:CreateBucket",
      "s3:DeleteBucket",
      "s3:DeleteBucketPolicy",
      "s3:GetAccelerateConfiguration",
      "s3:GetBucketAcl",
      "s3:GetBucketCORS",
      "s3:GetBucketLogging",
      "s3:GetBucketNotification",
      "s3:GetBucketObjectLockConfiguration",
      "s3:GetBucketOwnershipControls",
      "s3:GetBucketPolicy",
      "s3:GetBucketPublicAccessBlock",
      "s3:GetBucketRequestPayment",
      "s3:GetBucketTagging",
      "s3:GetBucketVersioning",
      "s3:GetBucketWebsite",
      "s3:GetEncryptionConfiguration",
      "s3:GetLifecycleConfiguration",
      "s3:GetReplicationConfiguration",
      "s3:ListBucket",
      "s3:ListBucketVersions",
      "s3:ListTagsForResource",
      "s3:PutBucketNotification",
      "s3:PutBucketOwnershipControls",
      "s3:PutBucketPolicy",
      "s3:PutBucketPublicAccessBlock",
      "s3:PutBucketTagging",
      "s3:PutEncryptionConfiguration",
      "s3:PutLifecycleConfiguration",
      "s3:TagResource",
      "s3:UntagResource",
    ]
    resources = ["arn:${data.aws_partition.current.partition}:s3:::${local.name}-*"]
  }

  statement {
    sid       = "Objects"
    actions   = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    resources = ["arn:${data.aws_partition.current.partition}:s3:::${local.name}-*/*"]
  }

  statement {
    sid = "Functions"
    actions = [
      "lambda:AddPermission",
      "lambda:CreateFunction",
      "lambda:DeleteFunction",
      "lambda:DeleteFunctionCodeSigningConfig",
      "lambda:DeleteFunctionConcurrency",
      "lambda:DeleteFunctionEventInvokeConfig",
      "lambda:GetFunction",
      "lambda:GetFunctionCodeSigningConfig",
      "lambda:GetFunctionConfiguration",
      "lambda:GetFunctionEventInvokeConfig",
      "lambda:GetPolicy",
      "lambda:ListTags",
      "lambda:ListVersionsByFunction",
      "lambda:PutFunctionCodeSigningConfig",
      "lambda:PutFunctionConcurrency",
      "lambda:PutFunctionEventInvokeConfig",
      "lambda:RemovePermission",
      "lambda:TagResource",
      "lambda:UntagResource",
      "lambda:UpdateFunctionCode",
      "lambda:UpdateFunctionConfiguration",
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:lambda:*:${data.aws_caller_identity.current.account_id}:function:${local.name}",
      "arn:${data.aws_partition.current.partition}:lambda:*:${data.aws_caller_identity.current.account_id}:function:${local.name}:*",
    ]
  }

  statement {
    sid = "LogGroups"
    actions = [
      "logs:AssociateKmsKey",
      "logs:CreateLogGroup",
      "logs:DeleteLogGroup",
      "logs:DeleteRetentionPolicy",
      "logs:DisassociateKmsKey",
      "logs:ListTagsForResource",
      "logs:PutRetentionPolicy",
      "logs:TagResource",
      "logs:UntagResource",
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:logs:*:${data.aws_caller_identity.current.account_id}:log-group:/aws/lambda/${local.name}",
      "arn:${data.aws_partition.current.partition}:logs:*:${data.aws_caller_identity.current.account_id}:log-group:/aws/lambda/${local.name}:*",
    ]
  }

  statement {
    sid       = "Deploy"
    actions   = ["lambda:GetAccountSettings", "tag:GetResources"]
    resources = ["*"]
  }

  statement {
    sid       = "FindLogGroups"
    actions   = ["logs:DescribeLogGroups"]
    resources = ["arn:${data.aws_partition.current.partition}:logs:*:${data.aws_caller_identity.current.account_id}:log-group:*"]
  }

  dynamic "statement" {
    for_each = var.existing_role == null ? [1] : []

    content {
      sid = "Role"
      actions = [
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListInstanceProfilesForRole",
        "iam:ListRolePolicies",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
        "iam:UpdateRoleDescription",
      ]
      resources = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role${var.role_path}${local.name}"]
    }
  }

  dynamic "statement" {
    for_each = var.existing_role == null ? [1] : []

    content {
      sid       = "PassRole"
      actions   = ["iam:PassRole"]
      resources = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role${var.role_path}${local.name}"]

      condition {
        test     = "StringEquals"
        variable = "iam:PassedToService"
        values   = ["lambda.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = (var.existing_role == null || var.budget != null) && var.role_permissions_boundary == null ? [1] : []

    content {
      sid = "WriteRoles"
      actions = [
        "iam:DeleteRolePermissionsBoundary",
        "iam:CreateRole",
        "iam:PutRolePermissionsBoundary",
        "iam:PutRolePolicy",
      ]
      resources = concat(var.existing_role == null ? ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role${var.role_path}${local.name}"] : [], var.budget != null ? ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role${var.role_path}${local.name}-budget"] : [])
    }
  }

  dynamic "statement" {
    for_each = (var.existing_role == null || var.budget != null) && var.role_permissions_boundary != null ? [1] : []

    content {
      sid       = "WriteRolesWithinBoundary"
      actions   = ["iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
      resources = concat(var.existing_role == null ? ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role${var.role_path}${local.name}"] : [], var.budget != null ? ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role${var.role_path}${local.name}-budget"] : [])

      condition {
        test     = "StringEquals"
        variable = "iam:PermissionsBoundary"
        values   = [var.role_permissions_boundary]
      }
    }
  }

  dynamic "statement" {
    for_each = var.existing_role != null ? [1] : []

    content {
      sid       = "PassThatRole"
      actions   = ["iam:PassRole"]
      resources = [var.existing_role.arn]

      condition {
        test     = "StringEquals"
        variable = "iam:PassedToService"
        values   = ["lambda.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = var.budget != null ? [1] : []

    content {
      sid = "Budget"
      actions = [
        "budgets:CreateBudgetAction",
        "budgets:DeleteBudgetAction",
        "budgets:DescribeBudgetAction",
        "budgets:ListTagsForResource",
        "budgets:ModifyBudget",
        "budgets:TagResource",
        "budgets:UntagResource",
        "budgets:UpdateBudgetAction",
        "budgets:ViewBudget",
      ]
      resources = [
        "arn:${data.aws_partition.current.partition}:budgets::${data.aws_caller_identity.current.account_id}:budget/${local.name}",
        "arn:${data.aws_partition.current.partition}:budgets::${data.aws_caller_identity.current.account_id}:budget/${local.name}/action/*",
      ]
    }
  }

  dynamic "statement" {
    for_each = var.budget != null ? [1] : []

    content {
      sid = "BudgetPolicy"
      actions = [
        "iam:CreatePolicy",
        "iam:CreatePolicyVersion",
        "iam:DeletePolicy",
        "iam:DeletePolicyVersion",
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        "iam:ListPolicyVersions",
        "iam:TagPolicy",
        "iam:UntagPolicy",
      ]
      resources = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:policy${var.role_path}${local.name}-stop"]
    }
  }

  dynamic "statement" {
    for_each = var.budget != null ? [1] : []

    content {
      sid = "BudgetRole"
      actions = [
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListInstanceProfilesForRole",
        "iam:ListRolePolicies",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
        "iam:UpdateRoleDescription",
      ]
      resources = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role${var.role_path}${local.name}-budget"]
    }
  }

  dynamic "statement" {
    for_each = var.budget != null ? [1] : []

    content {
      sid       = "PassBudgetRole"
      actions   = ["iam:PassRole"]
      resources = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role${var.role_path}${local.name}-budget"]

      condition {
        test     = "StringEquals"
        variable = "iam:PassedToService"
        values   = ["budgets.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = length(var.function_s3) > 0 ? [1] : []

    content {
      sid       = "Code"
      actions   = ["s3:GetObject", "s3:GetObjectVersion"]
      resources = [for object in values(var.function_s3) : "arn:${data.aws_partition.current.partition}:s3:::${object.bucket}/${object.key}"]
    }
  }

  dynamic "statement" {
    for_each = length(var.kms_key_arn) > 0 ? [1] : []

    content {
      sid = "Keys"
      actions = [
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
      ]
      resources = values(var.kms_key_arn)
    }
  }

  dynamic "statement" {
    for_each = length(var.code_signing_config_arn) > 0 ? [1] : []

    content {
      sid       = "CodeSigning"
      actions   = ["lambda:GetCodeSigningConfig"]
      resources = values(var.code_signing_config_arn)
    }
  }

  dynamic "statement" {
    for_each = length(var.vpc_config) > 0 ? [1] : []

    content {
      sid = "Network"
      actions = [
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
      ]
      resources = ["*"]
    }
  }
}

data "aws_iam_policy_document" "stop" {
  count = local.budget_acts ? 1 : 0

  statement {
    sid       = "NoMoreSessions"
    effect    = "Deny"
    actions   = ["s3:PutObject", "lambda:InvokeFunction"]
    resources = concat(formatlist("%s/*", values(local.bucket_arns)), [join(":", ["arn", data.aws_partition.current.partition, "lambda", "*", data.aws_caller_identity.current.account_id, "function", local.name])])
  }
}

data "aws_iam_policy_document" "budget_trust" {
  count = local.budget_acts ? 1 : 0

  statement {
    actions = ["sts:AssumeRole"]

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }

    principals {
      type        = "Service"
      identifiers = ["budgets.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "budget_attach" {
  count = local.budget_acts ? 1 : 0

  statement {
    sid = "AttachThatPolicyAlone"
    actions = [
      "iam:AttachRolePolicy",
      "iam:DetachRolePolicy",
      "iam:AttachGroupPolicy",
      "iam:DetachGroupPolicy",
      "iam:AttachUserPolicy",
      "iam:DetachUserPolicy",
    ]
    resources = [for kind in ["role", "group", "user"] : join(":", ["arn", data.aws_partition.current.partition, "iam", "", data.aws_caller_identity.current.account_id, "${kind}/*"])]

    condition {
      test     = "ArnEquals"
      variable = "iam:PolicyARN"
      values   = aws_iam_policy.stop_clients[*].arn
    }
  }
}

# What it holds is worthless after a minute: a destroy takes the objects along.
resource "aws_s3_bucket" "signalling" {
  for_each      = toset(local.regions)
  region        = each.key
  bucket        = local.buckets[each.key]
  force_destroy = true
  tags          = local.tags
}

# S3 refuses two changes of one bucket at a time: each part waits for the one before.
resource "aws_s3_bucket_public_access_block" "signalling" {
  for_each                = toset(local.regions)
  region                  = each.key
  block_public_acls       = true
  block_public_policy     = true
  bucket                  = aws_s3_bucket.signalling[each.key].id
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "signalling" {
  for_each   = toset(local.regions)
  region     = each.key
  bucket     = aws_s3_bucket.signalling[each.key].id
  depends_on = [aws_s3_bucket_public_access_block.signalling]

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "signalling" {
  for_each   = toset(local.regions)
  region     = each.key
  bucket     = aws_s3_bucket.signalling[each.key].id
  depends_on = [aws_s3_bucket_ownership_controls.signalling]

  rule {
    bucket_key_enabled = contains(keys(var.kms_key_arn), each.key)

    apply_server_side_encryption_by_default {
      kms_master_key_id = lookup(var.kms_key_arn, each.key, null)
      sse_algorithm     = contains(keys(var.kms_key_arn), each.key) ? "aws:kms" : "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "signalling" {
  for_each   = toset(local.regions)
  region     = each.key
  bucket     = aws_s3_bucket.signalling[each.key].id
  depends_on = [aws_s3_bucket_server_side_encryption_configuration.signalling]

  rule {
    id     = "expire-sessions"
    status = "Enabled"

    expiration {
      days = 1
    }

    filter {
      prefix = "sessions/"
    }
  }

  rule {
    id     = "abort-uploads"
    status = "Enabled"

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }

    filter {
      prefix = ""
    }
  }
}

resource "aws_s3_bucket_policy" "signalling" {
  for_each   = toset(local.regions)
  region     = each.key
  bucket     = aws_s3_bucket.signalling[each.key].id
  policy     = data.aws_iam_policy_document.tls_only[each.key].json
  depends_on = [aws_s3_bucket_lifecycle_configuration.signalling]
}

resource "aws_iam_role" "exit" {
  count                = var.existing_role == null ? 1 : 0
  description          = "Exit of lambda-nat-proxy: reads offers, writes answers and its own log."
  name                 = local.name
  assume_role_policy   = data.aws_iam_policy_document.lambda_trust.json
  path                 = var.role_path
  permissions_boundary = var.role_permissions_boundary
  tags                 = local.tags
}

resource "aws_iam_role_policy" "exit" {
  count  = var.existing_role == null ? 1 : 0
  name   = "exit"
  policy = data.aws_iam_policy_document.exit.json
  role   = aws_iam_role.exit[0].id
}

# The file is needed only when the function's code changes, and is fetched only then.
resource "terraform_data" "release" {
  for_each         = var.function_release == null ? toset([]) : local.regions
  triggers_replace = [var.function_release, local.name, var.architecture]

  provisioner "local-exec" {
    interpreter = ["/bin/sh", "-c"]
    command     = <<-EOT
      set -eu
      curl --fail --silent --show-error --location --proto '=https' --output "$FILE.part" "$URL"
      { sha256sum "$FILE.part" 2> /dev/null || shasum -a 256 "$FILE.part"; } | grep -qi "^$SHA256 " || {
        echo "function_release: the file at $URL does not have the checksum $SHA256" >&2
        exit 1
      }
      mv "$FILE.part" "$FILE"
    EOT
    environment = {
      FILE   = "${path.module}/release-${each.key}.zip"
      URL    = var.function_release.url
      SHA256 = var.function_release.sha256
    }
  }
}

resource "aws_cloudwatch_log_group" "exit" {
  for_each          = toset(local.regions)
  region            = each.key
  name              = local.log_group
  kms_key_id        = lookup(var.kms_key_arn, each.key, null)
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

resource "aws_lambda_function" "exit" {
  for_each                       = toset(local.regions)
  region                         = each.key
  description                    = "Exit of lambda-nat-proxy."
  architectures                  = [var.architecture]
  code_signing_config_arn        = lookup(var.code_signing_config_arn, each.key, null)
  filename                       = length(var.function_s3) > 0 ? null : var.function_release != null ? "${path.module}/release-${each.key}.zip" : local.function_zip
  function_name                  = local.name
  handler                        = "index.handler"
  kms_key_arn                    = lookup(var.kms_key_arn, each.key, null)
  memory_size                    = local.memory_mb
  reserved_concurrent_executions = var.reserved_concurrency
  role                           = var.existing_role == null ? one(aws_iam_role.exit[*].arn) : var.existing_role.arn
  runtime                        = var.runtime
  s3_bucket                      = length(var.function_s3) > 0 ? var.function_s3[each.key].bucket : null
  s3_key                         = length(var.function_s3) > 0 ? var.function_s3[each.key].key : null
  s3_object_version              = length(var.function_s3) > 0 ? var.function_s3[each.key].version : null
  source_code_hash               = length(var.function_s3) > 0 ? var.function_s3[each.key].sha256 : var.function_release != null ? local.release_hash : fileexists(local.function_zip) ? filebase64sha256(local.function_zip) : null
  tags                           = local.tags
  timeout                        = coalesce(var.timeout_s, local.modes[var.mode].timeout_s)
  depends_on                     = [aws_iam_role_policy.exit, terraform_data.release]

  environment {
    variables = {
      STUN_SERVERS    = join(",", var.stun_servers)
      ADDRESS_SERVICE = var.address_service
      TURN_SERVERS    = join(",", var.turn_servers)
      TURN_AUTH       = var.turn_auth == null ? "" : var.turn_auth
      MODE            = var.mode
      ALLOW_PRIVATE   = tostring(var.allow_private)
      NODE_OPTIONS    = "--max-semi-space-size=1 --max-old-space-size=${floor(local.memory_mb * 0.5)}"
    }
  }

  logging_config {
    application_log_level = var.log_level
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.exit[each.key].name
    system_log_level      = "INFO"
  }

  tracing_config {
    mode = var.tracing_mode
  }

  dynamic "vpc_config" {
    for_each = [for region, vpc in var.vpc_config : vpc if region == each.key]

    content {
      subnet_ids                  = vpc_config.value.subnet_ids
      security_group_ids          = vpc_config.value.security_group_ids
      ipv6_allowed_for_dual_stack = vpc_config.value.ipv6_allowed_for_dual_stack
    }
  }

  lifecycle {
    precondition {
      condition     = length(var.function_s3) > 0 || var.function_release != null || fileexists(local.function_zip)
      error_message = "There is no ${local.function_zip}. Make it with bun run build, or set function_zip, function_release or function_s3."
    }

    precondition {
      condition     = length([for source in [var.function_zip, var.function_release, length(var.function_s3) > 0 ? "s3" : null] : source if source != null]) <= 1
      error_message = "function_zip, function_release and function_s3 exclude each other: set one of them at most."
    }

    precondition {
      condition     = length(var.function_s3) == 0 || contains(keys(var.function_s3), each.key)
      error_message = "function_s3 names no object for ${each.key}: give it one for each region."
    }

    precondition {
      condition     = length(var.kms_key_arn) == 0 || contains(keys(var.kms_key_arn), each.key)
      error_message = "kms_key_arn names no key for ${each.key}: give it one for each region."
    }

    precondition {
      condition     = length(var.vpc_config) == 0 || contains(keys(var.vpc_config), each.key)
      error_message = "vpc_config names no subnets for ${each.key}: give it one for each region."
    }

    precondition {
      condition     = length(var.code_signing_config_arn) == 0 || contains(keys(var.code_signing_config_arn), each.key)
      error_message = "code_signing_config_arn names no configuration for ${each.key}: give it one for each region."
    }

    precondition {
      condition     = (length(var.turn_servers) == 0) == (var.turn_auth == null)
      error_message = "turn_servers and turn_auth go together: set both or neither."
    }

    precondition {
      condition     = var.turn_auth == null || can(regex("^(secret=.+|[^:]+:.+)$", var.turn_auth))
      error_message = "turn_auth must be user:password, or secret= and what is shared."
    }

    precondition {
      condition     = length(local.name) <= 38
      error_message = "The name ${local.name} is longer than 38 characters: shorten name or name_prefix."
    }

    precondition {
      condition     = try(var.reserved_concurrency == 0 || var.reserved_concurrency >= 2 * var.sessions, true)
      error_message = "reserved_concurrency must be at least ${2 * var.sessions}, twice the sessions, since each is replaced by a new one before it ends."
    }
  }
}

# An offer is good for a minute and its punch for one try: the client writes a new offer when either fails.
resource "aws_lambda_function_event_invoke_config" "exit" {
  for_each                     = toset(local.regions)
  region                       = each.key
  function_name                = aws_lambda_function.exit[each.key].function_name
  maximum_event_age_in_seconds = 60
  maximum_retry_attempts       = 0
}

# A bucket's ARN carries no account: without source_account, who takes over a freed name
# could start the function.
resource "aws_lambda_permission" "offers" {
  for_each       = toset(local.regions)
  region         = each.key
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.exit[each.key].function_name
  principal      = "s3.amazonaws.com"
  source_account = data.aws_caller_identity.current.account_id
  source_arn     = aws_s3_bucket.signalling[each.key].arn
  statement_id   = "offers"
}

# S3 tries the permission when the notification is made.
resource "aws_s3_bucket_notification" "offers" {
  for_each   = toset(local.regions)
  region     = each.key
  bucket     = aws_s3_bucket.signalling[each.key].id
  depends_on = [aws_lambda_permission.offers, aws_s3_bucket_policy.signalling]

  lambda_function {
    events              = ["s3:ObjectCreated:Put"]
    filter_prefix       = "sessions/"
    filter_suffix       = "/offer.json"
    id                  = "offers"
    lambda_function_arn = aws_lambda_function.exit[each.key].arn
  }
}

# The whole account's costs of these services: tags would tell the stack's apart, but only once somebody has
# activated them as cost allocation tags.
resource "aws_budgets_budget" "budget" {
  count        = var.budget == null ? 0 : 1
  name         = local.name
  budget_type  = "COST"
  limit_amount = tostring(var.budget.limit_usd)
  limit_unit   = "USD"
  tags         = local.tags
  time_unit    = "MONTHLY"

  cost_filter {
    name = "Service"
    values = [
      "AWS Data Transfer",
      "AWS Lambda",
      "Amazon Simple Storage Service",
      "AmazonCloudWatch",
    ]
  }

  notification {
    comparison_operator        = "GREATER_THAN"
    notification_type          = "ACTUAL"
    subscriber_email_addresses = var.budget.emails
    threshold                  = 80
    threshold_type             = "PERCENTAGE"
  }

  notification {
    comparison_operator        = "GREATER_THAN"
    notification_type          = "FORECASTED"
    subscriber_email_addresses = var.budget.emails
    threshold                  = 100
    threshold_type             = "PERCENTAGE"
  }
}

resource "aws_iam_policy" "stop_clients" {
  count       = local.budget_acts ? 1 : 0
  description = "Attached by the budget: no further sessions of lambda-nat-proxy."
  name        = "${local.name}-stop"
  path        = var.role_path
  policy      = data.aws_iam_policy_document.stop[0].json
  tags        = local.tags
}

resource "aws_iam_role" "budget" {
  count                = local.budget_acts ? 1 : 0
  description          = "Attaches the policy that ends new sessions of lambda-nat-proxy, and takes it off."
  name                 = "${local.name}-budget"
  assume_role_policy   = data.aws_iam_policy_document.budget_trust[0].json
  path                 = var.role_path
  permissions_boundary = var.role_permissions_boundary
  tags                 = local.tags
}

resource "aws_iam_role_policy" "budget" {
  count  = local.budget_acts ? 1 : 0
  name   = "attach"
  policy = data.aws_iam_policy_document.budget_attach[0].json
  role   = aws_iam_role.budget[0].id
}

resource "aws_budgets_budget_action" "budget" {
  count              = local.budget_acts ? 1 : 0
  action_type        = "APPLY_IAM_POLICY"
  approval_model     = "AUTOMATIC"
  budget_name        = aws_budgets_budget.budget[0].name
  execution_role_arn = aws_iam_role.budget[0].arn
  notification_type  = "ACTUAL"
  depends_on         = [aws_iam_role_policy.budget]

  action_threshold {
    action_threshold_type  = "PERCENTAGE"
    action_threshold_value = 100
  }

  definition {
    iam_action_definition {
      groups     = var.budget.groups
      policy_arn = aws_iam_policy.stop_clients[0].arn
      roles      = var.budget.roles
      users      = var.budget.users
    }
  }

  subscriber {
    address           = var.budget.emails[0]
    subscription_type = "EMAIL"
  }
}
