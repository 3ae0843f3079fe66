import { TerraformVariable, type TerraformVariableConfig } from 'cdktf'
import type { Construct } from 'constructs'
import { hcl } from './hcl.ts'
import { MODES } from './modes.ts'

const RETENTION_DAYS = [
  0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]
const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR']

const rule = (condition: string, errorMessage: string) => ({ condition: hcl(condition), errorMessage })

const array = (values: readonly (string | number)[]) => JSON.stringify(values).replaceAll(',', ', ')

/** Terraform evaluates both sides of ||, so a variable that may be null is tested by way of a value that passes. */
const wholeBetween = (variable: string, low: number, high: number) => {
  const value = `coalesce(var.${variable}, ${low})`
  return `${value} >= ${low} && ${value} <= ${high} && floor(${value}) == ${value}`
}

/** What the importer may set, in the order of the README's table. None is required: what has no default here is null. */
const VARIABLES: Record<string, TerraformVariableConfig> = {
  name: {
    type: 'string',
    default: 'lambda-nat-proxy',
    description:
      'Name of the stack: the function, the role, the log group and the buckets are named from it.',
    validation: [
      // 63 characters of a bucket name, less 16 for the longest region with its dash and 9 for the account's hash.
      rule(
        'length(var.name) >= 3 && length(var.name) <= 38 && can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name))',
        'name must have 3 to 38 characters: lower-case letters, digits and single dashes, a letter first, no dash last.',
      ),
    ],
  },
  regions: {
    type: 'set(string)',
    default: [],
    description: 'AWS regions to put an exit in. Empty: the one region that the provider is configured for.',
    validation: [
      rule(
        'alltrue([for region in var.regions : can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]+$", region))])',
        'regions must be AWS region names, such as eu-central-1.',
      ),
    ],
  },
  mode: {
    type: 'string',
    default: 'normal',
    description:
      'How large the function is: test (128 MB, 120 s), normal (256 MB, 600 s) or performance (512 MB, 900 s).',
    validation: [
      rule(
        `contains(${array(Object.keys(MODES))}, var.mode)`,
        `mode must be one of ${Object.keys(MODES).join(', ')}.`,
      ),
    ],
  },
  memory_mb: {
    type: 'number',
    description: "Memory of the function in MB, 128 to 10240, in place of the mode's.",
    validation: [
      rule(wholeBetween('memory_mb', 128, 10240), 'memory_mb must be a whole number from 128 to 10240.'),
    ],
  },
  timeout_s: {
    type: 'number',
    description: "Longest life of a session in seconds, 30 to 900, in place of the mode's.",
    validation: [
      rule(wholeBetween('timeout_s', 30, 900), 'timeout_s must be a whole number from 30 to 900.'),
    ],
  },
  reserved_concurrency: {
    type: 'number',
    description:
      "Sessions that may run at once in each region: a cap on cost, taken from the account's concurrency. 0 stops all; null sets no cap.",
    validation: [
      rule(
        wholeBetween('reserved_concurrency', 0, 10000),
        'reserved_concurrency must be a whole number from 0 to 10000.',
      ),
    ],
  },
  stun_servers: {
    type: 'list(string)',
    default: ['stun.l.google.com:19302', 'stun.cloudflare.com:3478'],
    description: 'STUN servers, as host:port, that the function asks for its public endpoint, in order.',
    validation: [
      rule(
        'length(var.stun_servers) > 0 && alltrue([for server in var.stun_servers : can(regex("^(stun:)?[A-Za-z0-9.-]+(:[1-9][0-9]{0,4})?$", server)) && tonumber(try(regex(":([0-9]+)$", server)[0], 1)) <= 65535])',
        'stun_servers must hold at least one server, each as host or host:port, such as stun.example.net:3478.',
      ),
    ],
  },
  allow_private: {
    type: 'bool',
    default: false,
    description:
      "Whether clients may reach private, loopback and link-local addresses from the function. Dangerous: these lead into the function's own environment, and into your network if it is attached to one.",
  },
  log_level: {
    type: 'string',
    default: 'INFO',
    description: `Least severe level that the function logs: ${LOG_LEVELS.join(', ')}. DEBUG and below may name the targets that people visit.`,
    validation: [
      rule(
        `contains(${array(LOG_LEVELS)}, var.log_level)`,
        `log_level must be one of ${LOG_LEVELS.join(', ')}.`,
      ),
    ],
  },
  log_retention_days: {
    type: 'number',
    default: 14,
    description:
      'Days that log records are kept; one of the periods that CloudWatch Logs offers. 0 keeps them for ever.',
    validation: [
      rule(
        `contains(${array(RETENTION_DAYS)}, var.log_retention_days)`,
        `log_retention_days must be one of ${RETENTION_DAYS.join(', ')}.`,
      ),
    ],
  },
  function_zip: {
    type: 'string',
    description: "Path of the function's bundle. Null: function.zip beside the module.",
  },
  function_s3: {
    type: 'map(object({ bucket = string, key = string, version = optional(string), sha256 = optional(string) }))',
    default: {},
    description:
      'The bundle as S3 objects in place of a file, by region, since Lambda reads code only from a bucket in its own region. version is the object version; sha256 the base64 digest. A change of either deploys anew.',
  },
  runtime: {
    type: 'string',
    default: 'nodejs24.x',
    description: 'Node.js runtime of the function, nodejs22.x or later.',
    validation: [
      rule(
        'can(regex("^nodejs(2[2-9]|[3-9][0-9])\\\\.x$", var.runtime))',
        'runtime must be a Node.js runtime of Lambda, nodejs22.x or later.',
      ),
    ],
  },
  tags: {
    type: 'map(string)',
    default: {},
    description: 'Further tags for every resource that takes tags.',
    validation: [
      rule(
        'length(var.tags) <= 45 && alltrue([for key in keys(var.tags) : !can(regex("^(aws|lambda-nat-proxy):", key))])',
        'tags must be 45 at most, and none may begin with aws: or lambda-nat-proxy:.',
      ),
    ],
  },
}

export const declareVariables = (scope: Construct) => {
  for (const [id, config] of Object.entries(VARIABLES)) {
    const optional = config.default === undefined
    const variable = new TerraformVariable(scope, id, { ...config, nullable: optional })
    // CDKTF drops a null default on its way, and a variable without one is a variable that must be set.
    if (optional) variable.addOverride('default', null)
  }
}
