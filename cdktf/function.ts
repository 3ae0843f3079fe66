import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js'
import { LambdaFunction } from '@cdktf/provider-aws/lib/lambda-function/index.js'
import { LambdaFunctionEventInvokeConfig } from '@cdktf/provider-aws/lib/lambda-function-event-invoke-config/index.js'
import { Construct } from 'constructs'
import { hcl, hclMap, hclNumber, here } from './hcl.ts'
import { perRegion } from './names.ts'
import { ExitRole } from './role.ts'

const fromS3 = (zip: string, s3: string) => hcl(`length(var.function_s3) > 0 ? ${s3} : ${zip}`)
const object = (attribute: string) => `var.function_s3[each.key].${attribute}`

/** The exit: a function in each region that a session's offer starts, and its log. */
export class ExitFunction extends Construct {
  readonly lambda: LambdaFunction

  constructor(scope: Construct, id: string) {
    super(scope, id)

    const { role, policy } = new ExitRole(this, id)
    const logGroup = new CloudwatchLogGroup(this, 'log', {
      ...perRegion,
      name: hcl('local.log_group'),
      retentionInDays: hclNumber('var.log_retention_days'),
      tags: hclMap('local.tags'),
    })

    this.lambda = new LambdaFunction(this, 'function', {
      ...perRegion,
      functionName: hcl('var.name'),
      description: 'Exit of lambda-nat-proxy.',
      role: role.arn,
      // The QUIC binding exists for x86_64 alone.
      architectures: ['x86_64'],
      runtime: hcl('var.runtime'),
      handler: 'index.handler',
      filename: fromS3('local.function_zip', 'null'),
      s3Bucket: fromS3('null', object('bucket')),
      s3Key: fromS3('null', object('key')),
      s3ObjectVersion: fromS3('null', object('version')),
      sourceCodeHash: fromS3('filebase64sha256(local.function_zip)', object('sha256')),
      memorySize: hclNumber('coalesce(var.memory_mb, local.modes[var.mode].memory_mb)'),
      timeout: hclNumber('coalesce(var.timeout_s, local.modes[var.mode].timeout_s)'),
      reservedConcurrentExecutions: hclNumber('var.reserved_concurrency'),
      environment: {
        variables: {
          STUN_SERVERS: hcl('join(",", var.stun_servers)'),
          MODE: hcl('var.mode'),
          ALLOW_PRIVATE: hcl('tostring(var.allow_private)'),
          // A young generation of 1 MB: a third of the memory at the same speed, so that 128 MB suffice.
          NODE_OPTIONS: '--max-semi-space-size=1',
        },
      },
      loggingConfig: {
        logFormat: 'JSON',
        logGroup: here(logGroup, 'name'),
        applicationLogLevel: hcl('var.log_level'),
        // INFO brings the platform's report of each session: time, memory, start-up.
        systemLogLevel: 'INFO',
      },
      tags: hclMap('local.tags'),
      // The first session may come as soon as the function is there.
      dependsOn: [policy],
      lifecycle: {
        precondition: [
          {
            condition: hcl('length(var.function_s3) > 0 || fileexists(local.function_zip)'),
            errorMessage: `There is no ${hcl('local.function_zip')}. Make it with bun run build, or set function_zip or function_s3.`,
          },
          {
            condition: hcl('length(var.function_s3) == 0 || contains(keys(var.function_s3), each.key)'),
            errorMessage: `function_s3 names no object for ${hcl('each.key')}: give it one for each region.`,
          },
        ],
      },
    })

    // An offer is good for a minute and its punch for one try: the client writes a new offer when either fails.
    new LambdaFunctionEventInvokeConfig(this, 'invoke', {
      ...perRegion,
      functionName: here(this.lambda, 'function_name'),
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: 60,
    })
  }
}
