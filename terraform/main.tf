# Written by `bun run synth` from cdktf/. Edit there.

locals {
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
  buckets        = { for region in local.regions : region => join("-", [var.name, region, substr(sha256(data.aws_caller_identity.current.account_id), 0, 8)]) }
  bucket_arns    = { for region in local.regions : region => join(":", ["arn", data.aws_partition.current.partition, "s3", "", "", local.buckets[region]]) }
  log_group      = "/aws/lambda/${var.name}"
  log_group_arns = { for region in local.regions : region => join(":", ["arn", data.aws_partition.current.partition, "logs", region, data.aws_caller_identity.current.account_id, "log-group", local.log_group, "*"]) }
  function_zip   = coalesce(var.function_zip, "${path.module}/function.zip")
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
      values   = ["false"]
      variable = "aws:SecureTransport"
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

data "aws_iam_policy_document" "exit" {
  statement {
    sid       = "ReadOffers"
    actions   = ["s3:GetObject"]
    resources = formatlist("%s/sessions/*/offer.json", values(local.bucket_arns))
  }

  statement {
    sid       = "WriteAnswers"
    actions   = ["s3:PutObject"]
    resources = formatlist("%s/sessions/*/answer.json", values(local.bucket_arns))
  }

  statement {
    sid       = "WriteLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = values(local.log_group_arns)
  }
}

data "aws_iam_policy_document" "client" {
  statement {
    sid       = "Offers"
    actions   = ["s3:PutObject", "s3:DeleteObject"]
    resources = formatlist("%s/sessions/*/offer.json", values(local.bucket_arns))
  }

  statement {
    sid       = "Answers"
    actions   = ["s3:GetObject", "s3:DeleteObject"]
    resources = formatlist("%s/sessions/*/answer.json", values(local.bucket_arns))
  }

  statement {
    sid = "Bucket"
    actions = [
      "s3:ListBucket",
      "s3:GetBucketLocation",
      "s3:GetBucketNotification",
      "s3:GetBucketTagging",
    ]
    resources = values(local.bucket_arns)
  }

  statement {
    sid = "Function"
    actions = [
      "lambda:GetFunction",
      "lambda:GetFunctionConcurrency",
      "lambda:GetFunctionConfiguration",
      "lambda:GetFunctionEventInvokeConfig",
      "lambda:ListTags",
      "logs:FilterLogEvents",
    ]
    resources = [
      join(":", ["arn", data.aws_partition.current.partition, "lambda", "*", data.aws_caller_identity.current.account_id, "function", var.name]),
      join(":", ["arn", data.aws_partition.current.partition, "logs", "*", data.aws_caller_identity.current.account_id, "log-group", local.log_group, "*"]),
    ]

    condition {
      test     = "StringEquals"
      values   = sort(local.regions)
      variable = "aws:RequestedRegion"
    }
  }

  statement {
    sid       = "Stack"
    actions   = ["cloudwatch:GetMetricData", "tag:GetResources"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      values   = sort(local.regions)
      variable = "aws:RequestedRegion"
    }
  }
}

resource "aws_s3_bucket" "signalling" {
  for_each      = toset(local.regions)
  region        = each.key
  bucket        = local.buckets[each.key]
  force_destroy = true
  tags          = local.tags
}

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
  for_each = toset(local.regions)
  region   = each.key
  bucket   = aws_s3_bucket.signalling[each.key].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "signalling" {
  for_each = toset(local.regions)
  region   = each.key
  bucket   = aws_s3_bucket.signalling[each.key].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "signalling" {
  for_each = toset(local.regions)
  region   = each.key
  bucket   = aws_s3_bucket.signalling[each.key].id

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
  depends_on = [aws_s3_bucket_public_access_block.signalling]
}

resource "aws_iam_role" "exit" {
  description        = "Exit of lambda-nat-proxy: reads offers, writes answers and its own log."
  name               = var.name
  assume_role_policy = data.aws_iam_policy_document.lambda_trust.json
  tags               = local.tags
}

resource "aws_iam_role_policy" "exit" {
  name   = "exit"
  policy = data.aws_iam_policy_document.exit.json
  role   = aws_iam_role.exit.id
}

resource "aws_cloudwatch_log_group" "exit" {
  for_each          = toset(local.regions)
  region            = each.key
  name              = local.log_group
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

resource "aws_lambda_function" "exit" {
  for_each                       = toset(local.regions)
  region                         = each.key
  description                    = "Exit of lambda-nat-proxy."
  architectures                  = ["x86_64"]
  filename                       = length(var.function_s3) > 0 ? null : local.function_zip
  function_name                  = var.name
  handler                        = "index.handler"
  memory_size                    = coalesce(var.memory_mb, local.modes[var.mode].memory_mb)
  reserved_concurrent_executions = var.reserved_concurrency
  role                           = aws_iam_role.exit.arn
  runtime                        = var.runtime
  s3_bucket                      = length(var.function_s3) > 0 ? var.function_s3[each.key].bucket : null
  s3_key                         = length(var.function_s3) > 0 ? var.function_s3[each.key].key : null
  s3_object_version              = length(var.function_s3) > 0 ? var.function_s3[each.key].version : null
  source_code_hash               = length(var.function_s3) > 0 ? var.function_s3[each.key].sha256 : filebase64sha256(local.function_zip)
  tags                           = local.tags
  timeout                        = coalesce(var.timeout_s, local.modes[var.mode].timeout_s)
  depends_on                     = [aws_iam_role_policy.exit]

  environment {
    variables = {
      STUN_SERVERS  = join(",", var.stun_servers)
      MODE          = var.mode
      ALLOW_PRIVATE = tostring(var.allow_private)
      NODE_OPTIONS  = "--max-semi-space-size=1"
    }
  }

  logging_config {
    application_log_level = var.log_level
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.exit[each.key].name
    system_log_level      = "INFO"
  }

  lifecycle {
    precondition {
      condition     = length(var.function_s3) > 0 || fileexists(local.function_zip)
      error_message = "There is no ${local.function_zip}. Make it with bun run build, or set function_zip or function_s3."
    }

    precondition {
      condition     = length(var.function_s3) == 0 || contains(keys(var.function_s3), each.key)
      error_message = "function_s3 names no object for ${each.key}: give it one for each region."
    }
  }
}

resource "aws_lambda_function_event_invoke_config" "exit" {
  for_each                     = toset(local.regions)
  region                       = each.key
  function_name                = aws_lambda_function.exit[each.key].function_name
  maximum_event_age_in_seconds = 60
  maximum_retry_attempts       = 0
}

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

resource "aws_s3_bucket_notification" "offers" {
  for_each   = toset(local.regions)
  region     = each.key
  bucket     = aws_s3_bucket.signalling[each.key].id
  depends_on = [aws_lambda_permission.offers]

  lambda_function {
    events              = ["s3:ObjectCreated:Put"]
    filter_prefix       = "sessions/"
    filter_suffix       = "/offer.json"
    id                  = "offers"
    lambda_function_arn = aws_lambda_function.exit[each.key].arn
  }
}
