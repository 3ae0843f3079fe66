import { hcl } from './hcl.ts'

// What one variable's own validation cannot see, since it takes two of them; looked at before anything is made.

const rule = (condition: string, errorMessage: string) => ({ condition: hcl(condition), errorMessage })
const here = hcl('each.key')

/** A map by region that is used at all must name every region: a key that lacks must not go unseen. */
const namesRegion = (variable: string, what: string) =>
  rule(
    `length(var.${variable}) == 0 || contains(keys(var.${variable}), each.key)`,
    `${variable} names no ${what} for ${here}: give it one for each region.`,
  )

export const preconditions = () => [
  rule(
    'length(var.function_s3) > 0 || var.function_release != null || fileexists(local.function_zip)',
    `There is no ${hcl('local.function_zip')}. Make it with bun run build, or set function_zip, function_release or function_s3.`,
  ),
  rule(
    'length([for source in [var.function_zip, var.function_release, length(var.function_s3) > 0 ? "s3" : null] : source if source != null]) <= 1',
    'function_zip, function_release and function_s3 exclude each other: set one of them at most.',
  ),
  namesRegion('function_s3', 'object'),
  namesRegion('kms_key_arn', 'key'),
  namesRegion('vpc_config', 'subnets'),
  namesRegion('code_signing_config_arn', 'configuration'),
  rule(
    '(length(var.turn_servers) == 0) == (var.turn_auth == null)',
    'turn_servers and turn_auth go together: set both or neither.',
  ),
  rule(
    'var.turn_auth == null || can(regex("^(secret=.+|[^:]+:.+)$", var.turn_auth))',
    'turn_auth must be user:password, or secret= and what is shared.',
  ),
  rule(
    'length(local.name) <= 38',
    `The name ${hcl('local.name')} is longer than 38 characters: shorten name or name_prefix.`,
  ),
  rule(
    'try(var.reserved_concurrency == 0 || var.reserved_concurrency >= 2 * var.sessions, true)',
    `reserved_concurrency must be at least ${hcl('2 * var.sessions')}, twice the sessions, since each is replaced by a new one before it ends.`,
  ),
]
