import { DataAwsCallerIdentity } from '@cdktf/provider-aws/lib/data-aws-caller-identity/index.js'
import { DataAwsPartition } from '@cdktf/provider-aws/lib/data-aws-partition/index.js'
import { DataAwsRegion } from '@cdktf/provider-aws/lib/data-aws-region/index.js'
import { ref, TerraformIterator, TerraformLocal, Token } from 'cdktf'
import type { Construct } from 'constructs'
import { architectures, zipName } from '../function/architectures.ts'
import { hcl } from './hcl.ts'
import { MEMORY_MB, MODES } from './modes.ts'

export const PARTITION = 'data.aws_partition.current.partition'
export const ACCOUNT = 'data.aws_caller_identity.current.account_id'

const inEachRegion = (value: string) => hcl(`{ for region in local.regions : region => ${value} }`)

/** An ARN of this account, as an expression; so are its region and its resource. */
const arn = (service: string, region: string, resource: string) =>
  `join(":", ["arn", ${PARTITION}, "${service}", ${region}, ${ACCOUNT}, ${resource}])`

export const functionArn = (region: string) => arn('lambda', region, '"function", local.name')
export const logGroupArn = (region: string) => arn('logs', region, '"log-group", local.log_group, "*"')

// A checksum in the base64 that Lambda has it in, out of the hexadecimal of SHA256SUMS: three bytes give four digits.
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const base64 = (hex: string) =>
  `format("%.43s=", join("", [for at in range(0, 66, 6) : join("", [for unit in [262144, 4096, 64, 1] : substr("${DIGITS}", floor(parseint(substr("\${${hex}}00", at, 6), 16) / unit) % 64, 1)])]))`

/** Of a build's bundles the one for the function's processor. */
const ZIP_NAME = `({ ${architectures.map(each => `${each} = "${zipName(each)}"`).join(', ')} }[var.architecture])`

/**
 * Names and ARNs are worked out here rather than read from the resources, so that a plan shows every policy in
 * full before anything exists. A bucket's name is unique in the world by a hash of the account's id.
 */
const LOCALS: Record<string, string | typeof MODES> = {
  name: `${hcl('var.name_prefix')}${hcl('var.name')}`,
  regions: hcl('length(var.regions) > 0 ? var.regions : toset([data.aws_region.current.region])'),
  modes: MODES,
  memory_mb: hcl(MEMORY_MB),
  buckets: inEachRegion(`join("-", [local.name, region, substr(sha256(${ACCOUNT}), 0, 8)])`),
  bucket_arns: inEachRegion(`join(":", ["arn", ${PARTITION}, "s3", "", "", local.buckets[region]])`),
  log_group: `/aws/lambda/${hcl('local.name')}`,
  log_group_arns: inEachRegion(logGroupArn('region')),
  function_zip: hcl(`coalesce(var.function_zip, "${hcl('path.module')}/${hcl(ZIP_NAME)}")`),
  release_hash: hcl(`var.function_release == null ? null : ${base64('var.function_release.sha256')}`),
  budget_acts: hcl('try(length(concat(var.budget.roles, var.budget.groups, var.budget.users)) > 0, false)'),
  tags: hcl('merge(var.tags, { "lambda-nat-proxy:stack" = var.name })'),
}

export const declareNames = (scope: Construct) => {
  new DataAwsCallerIdentity(scope, 'caller_identity').overrideLogicalId('current')
  new DataAwsPartition(scope, 'partition').overrideLogicalId('current')
  new DataAwsRegion(scope, 'region').overrideLogicalId('current')
  for (const [id, expression] of Object.entries(LOCALS)) new TerraformLocal(scope, id, expression)
}

/** Spread into a resource, makes one of it in each region. */
export const perRegion = {
  forEach: TerraformIterator.fromList(Token.asList(ref('local.regions'))),
  region: hcl('each.key'),
}
