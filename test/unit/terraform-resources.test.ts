// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are Terraform's.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { data, locals, output, regional, resource } from '../terraform/module.ts'

const test = suite('terraform resources')
const bucket = '${aws_s3_bucket.signalling[each.key].id}'

test('there is what these tests look at, and nothing more', () => {
  const addresses = Object.entries(resource).flatMap(([type, named]) =>
    Object.keys(named).map(name => `${type}.${name}`),
  )
  assert.equal(addresses.sort(), [
    'aws_cloudwatch_log_group.exit',
    'aws_iam_role.exit',
    'aws_iam_role_policy.exit',
    'aws_lambda_function.exit',
    'aws_lambda_function_event_invoke_config.exit',
    'aws_lambda_permission.offers',
    'aws_s3_bucket.signalling',
    'aws_s3_bucket_lifecycle_configuration.signalling',
    'aws_s3_bucket_notification.offers',
    'aws_s3_bucket_ownership_controls.signalling',
    'aws_s3_bucket_policy.signalling',
    'aws_s3_bucket_public_access_block.signalling',
    'aws_s3_bucket_server_side_encryption_configuration.signalling',
  ])
})

test('regions are those asked for, or else the one of the provider', () => {
  assert.is(
    locals.regions,
    '${length(var.regions) > 0 ? var.regions : toset([data.aws_region.current.region])}',
  )
  assert.equal(Object.keys(data.aws_region!), ['current'])
})

test('all that takes tags has them, and the stack among them', () => {
  const { aws_s3_bucket, aws_lambda_function, aws_cloudwatch_log_group, aws_iam_role } = resource
  for (const named of [aws_s3_bucket, aws_lambda_function, aws_cloudwatch_log_group, aws_iam_role])
    for (const { tags } of Object.values(named!)) assert.is(tags, '${local.tags}')
  assert.is(locals.tags, '${merge(var.tags, { "lambda-nat-proxy:stack" = var.name })}')
})

test('the bucket is named for stack, region and account, and goes with what it holds', () => {
  assert.equal(regional('aws_s3_bucket.signalling'), {
    bucket: '${local.buckets[each.key]}',
    force_destroy: true,
    tags: '${local.tags}',
  })
})

test('the bucket is closed to the public and its objects belong to its owner', () => {
  assert.equal(regional('aws_s3_bucket_public_access_block.signalling'), {
    bucket,
    block_public_acls: true,
    block_public_policy: true,
    ignore_public_acls: true,
    restrict_public_buckets: true,
  })
  assert.equal(regional('aws_s3_bucket_ownership_controls.signalling'), {
    bucket,
    rule: { object_ownership: 'BucketOwnerEnforced' },
  })
})

test('the bucket is encrypted', () => {
  assert.equal(regional('aws_s3_bucket_server_side_encryption_configuration.signalling'), {
    bucket,
    rule: [{ apply_server_side_encryption_by_default: { sse_algorithm: 'AES256' } }],
  })
})

test('sessions expire and unfinished uploads are aborted after a day', () => {
  assert.equal(regional('aws_s3_bucket_lifecycle_configuration.signalling'), {
    bucket,
    rule: [
      {
        id: 'expire-sessions',
        status: 'Enabled',
        filter: [{ prefix: 'sessions/' }],
        expiration: [{ days: 1 }],
      },
      {
        id: 'abort-uploads',
        status: 'Enabled',
        filter: [{ prefix: '' }],
        abort_incomplete_multipart_upload: [{ days_after_initiation: 1 }],
      },
    ],
  })
})

test("the bucket's policy waits for the block of public access", () => {
  assert.equal(regional('aws_s3_bucket_policy.signalling'), {
    bucket,
    policy: '${data.aws_iam_policy_document.tls_only[each.key].json}',
    depends_on: ['aws_s3_bucket_public_access_block.signalling'],
  })
})

test('the log group is named as Lambda would and keeps what it is told to', () => {
  assert.equal(regional('aws_cloudwatch_log_group.exit'), {
    name: '${local.log_group}',
    retention_in_days: '${var.log_retention_days}',
    tags: '${local.tags}',
  })
  assert.is(locals.log_group, '/aws/lambda/${var.name}')
})

test('the function runs the bundle on x86_64, under the role, with a log of its own in JSON', () => {
  const lambda = regional('aws_lambda_function.exit')
  assert.equal(lambda.architectures, ['x86_64'])
  assert.is(lambda.handler, 'index.handler')
  assert.is(lambda.runtime, '${var.runtime}')
  assert.is(lambda.function_name, '${var.name}')
  assert.is(lambda.role, '${aws_iam_role.exit.arn}')
  assert.is(lambda.reserved_concurrent_executions, '${var.reserved_concurrency}')
  assert.equal(lambda.depends_on, ['aws_iam_role_policy.exit'])
  assert.equal(lambda.logging_config, {
    log_format: 'JSON',
    log_group: '${aws_cloudwatch_log_group.exit[each.key].name}',
    application_log_level: '${var.log_level}',
    system_log_level: 'INFO',
  })
})

test('the function is told its STUN servers, its mode and whether private targets are allowed', () => {
  assert.equal(regional('aws_lambda_function.exit').environment, {
    variables: {
      STUN_SERVERS: '${join(",", var.stun_servers)}',
      MODE: '${var.mode}',
      ALLOW_PRIVATE: '${tostring(var.allow_private)}',
      NODE_OPTIONS: '--max-semi-space-size=1',
    },
  })
})

test('the bundle is a file beside the module, another, or an S3 object, and a changed one is deployed', () => {
  const lambda = regional('aws_lambda_function.exit')
  assert.is(locals.function_zip, '${coalesce(var.function_zip, "${path.module}/function.zip")}')
  assert.is(lambda.filename, '${length(var.function_s3) > 0 ? null : local.function_zip}')
  for (const part of ['bucket', 'key'])
    assert.is(
      lambda[`s3_${part}`],
      `\${length(var.function_s3) > 0 ? var.function_s3[each.key].${part} : null}`,
    )
  assert.is(
    lambda.s3_object_version,
    '${length(var.function_s3) > 0 ? var.function_s3[each.key].version : null}',
  )
  assert.is(
    lambda.source_code_hash,
    '${length(var.function_s3) > 0 ? var.function_s3[each.key].sha256 : filebase64sha256(local.function_zip)}',
  )
})

test('a bundle that is missing is named before anything is made', () => {
  const { precondition } = regional('aws_lambda_function.exit').lifecycle as {
    precondition: { condition: string; error_message: string }[]
  }
  assert.equal(
    precondition.map(({ condition }) => condition),
    [
      '${length(var.function_s3) > 0 || fileexists(local.function_zip)}',
      '${length(var.function_s3) == 0 || contains(keys(var.function_s3), each.key)}',
    ],
  )
  assert.match(precondition[0]!.error_message, '${local.function_zip}')
  assert.match(precondition[1]!.error_message, '${each.key}')
})

test('a failed session is not tried again by itself', () => {
  assert.equal(regional('aws_lambda_function_event_invoke_config.exit'), {
    function_name: '${aws_lambda_function.exit[each.key].function_name}',
    maximum_retry_attempts: 0,
    maximum_event_age_in_seconds: 60,
  })
})

test('only the bucket, and only in this account, may start the function', () => {
  assert.equal(regional('aws_lambda_permission.offers'), {
    statement_id: 'offers',
    action: 'lambda:InvokeFunction',
    function_name: '${aws_lambda_function.exit[each.key].function_name}',
    principal: 's3.amazonaws.com',
    source_arn: '${aws_s3_bucket.signalling[each.key].arn}',
    source_account: '${data.aws_caller_identity.current.account_id}',
  })
})

test('an offer starts the function, and nothing else does; the permission comes first', () => {
  assert.equal(regional('aws_s3_bucket_notification.offers'), {
    bucket,
    lambda_function: [
      {
        id: 'offers',
        lambda_function_arn: '${aws_lambda_function.exit[each.key].arn}',
        events: ['s3:ObjectCreated:Put'],
        filter_prefix: 'sessions/',
        filter_suffix: '/offer.json',
      },
    ],
    depends_on: ['aws_lambda_permission.offers'],
  })
})

test('one role serves all regions', () => {
  const { description, ...role } = resource.aws_iam_role!.exit!
  assert.type(description, 'string')
  assert.equal(role, {
    name: '${var.name}',
    assume_role_policy: '${data.aws_iam_policy_document.lambda_trust.json}',
    tags: '${local.tags}',
  })
  assert.equal(resource.aws_iam_role_policy!.exit, {
    name: 'exit',
    role: '${aws_iam_role.exit.id}',
    policy: '${data.aws_iam_policy_document.exit.json}',
  })
})

test('outputs come from what was made, each with a description', () => {
  for (const [name, { description }] of Object.entries(output)) assert.type(description, 'string', name)
  assert.match(String(output.buckets!.value), 'in aws_s3_bucket.signalling')
  assert.match(String(output.functions!.value), 'in aws_lambda_function.exit')
  assert.is(output.role_arn!.value, '${aws_iam_role.exit.arn}')
  assert.is(output.client_policy_json!.value, '${data.aws_iam_policy_document.client.json}')
})

test.run()
