import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js'
import { LambdaFunction } from '@cdktf/provider-aws/lib/lambda-function/index.js'
import { LambdaFunctionEventInvokeConfig } from '@cdktf/provider-aws/lib/lambda-function-event-invoke-config/index.js'
import { Construct } from 'constructs'
import { hcl, hclMap, hclNumber, here, ofRegion } from './hcl.ts'
import { comment } from './hcl-blocks.ts'
import { NODE_OPTIONS } from './modes.ts'
import { perRegion } from './names.ts'
import { preconditions } from './preconditions.ts'
import { Release } from './release.ts'
import { ExitRole } from './role.ts'

const FROM_S3 = 'length(var.function_s3) > 0'
const object = (attribute: string) => hcl(`${FROM_S3} ? var.function_s3[each.key].${attribute} : null`)
const HAS_RELEASE = 'var.function_release != null'

/** The exit: a function in each region that a session's offer starts, and its log. */
export class ExitFunction extends Construct {
  readonly lambda: LambdaFunction

  constructor(scope: Construct, id: string) {
    super(scope, id)

    const role = new ExitRole(this, id)
    const release = new Release(this, 'release')
    const logGroup = new CloudwatchLogGroup(this, 'log', {
      ...perRegion,
      name: hcl('local.log_group'),
      retentionInDays: hclNumber('var.log_retention_days'),
      kmsKeyId: hcl(ofRegion('kms_key_arn')),
      tags: hclMap('local.tags'),
    })

    this.lambda = new LambdaFunction(this, 'function', {
      ...perRegion,
      functionName: hcl('local.name'),
      description: 'Exit of lambda-nat-proxy.',
      role: role.arn,
      architectures: [hcl('var.architecture')],
      runtime: hcl('var.runtime'),
      handler: 'index.handler',
      filename: hcl(`${FROM_S3} ? null : ${HAS_RELEASE} ? "${release.file}" : local.function_zip`),
      s3Bucket: object('bucket'),
      s3Key: object('key'),
      s3ObjectVersion: object('version'),
      // A destroy reads this, too, and needs no bundle; the precondition says that a deployment does.
      sourceCodeHash: hcl(
        `${FROM_S3} ? var.function_s3[each.key].sha256 : ${HAS_RELEASE} ? local.release_hash : fileexists(local.function_zip) ? filebase64sha256(local.function_zip) : null`,
      ),
      codeSigningConfigArn: hcl(ofRegion('code_signing_config_arn')),
      memorySize: hclNumber('local.memory_mb'),
      timeout: hclNumber('coalesce(var.timeout_s, local.modes[var.mode].timeout_s)'),
      reservedConcurrentExecutions: hclNumber('var.reserved_concurrency'),
      kmsKeyArn: hcl(ofRegion('kms_key_arn')),
      environment: {
        variables: {
          STUN_SERVERS: hcl('join(",", var.stun_servers)'),
          ADDRESS_SERVICE: hcl('var.address_service'),
          TURN_SERVERS: hcl('join(",", var.turn_servers)'),
          TURN_AUTH: hcl('var.turn_auth == null ? "" : var.turn_auth'),
          MODE: hcl('var.mode'),
          ALLOW_PRIVATE: hcl('tostring(var.allow_private)'),
          NODE_OPTIONS,
        },
      },
      loggingConfig: {
        logFormat: 'JSON',
        logGroup: here(logGroup, 'name'),
        applicationLogLevel: hcl('var.log_level'),
        // INFO brings the platform's report of each session: time, memory, start-up.
        systemLogLevel: 'INFO',
      },
      tracingConfig: { mode: hcl('var.tracing_mode') },
      tags: hclMap('local.tags'),
      // The first session may come as soon as the function is there.
      dependsOn: [role.policy, release.download],
      lifecycle: { precondition: preconditions() },
    })
    this.lambda.addOverride('dynamic.vpc_config', {
      for_each: hcl('[for region, vpc in var.vpc_config : vpc if region == each.key]'),
      content: {
        subnet_ids: hcl('vpc_config.value.subnet_ids'),
        security_group_ids: hcl('vpc_config.value.security_group_ids'),
        ipv6_allowed_for_dual_stack: hcl('vpc_config.value.ipv6_allowed_for_dual_stack'),
      },
    })

    const invoke = new LambdaFunctionEventInvokeConfig(this, 'invoke', {
      ...perRegion,
      functionName: here(this.lambda, 'function_name'),
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: 60,
    })
    comment(
      invoke,
      'An offer is good for a minute and its punch for one try: the client writes a new offer when either fails.',
    )
  }
}
