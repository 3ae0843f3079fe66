import { TerraformVariable, type TerraformVariableConfig } from 'cdktf'
import type { Construct } from 'constructs'
import { architectures } from '../function/architectures.ts'
import { defaultAddressService } from '../function/settings.ts'
import { defaultStunServers } from '../tunnel/nat/stun/server-name.ts'
import { array, hcl } from './hcl.ts'
import { MODES } from './modes.ts'

const RETENTION_DAYS = [
  0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]
const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR']

const rule = (condition: string, errorMessage: string) => ({ condition: hcl(condition), errorMessage })

/** Terraform evaluates both sides of ||, so a variable that may be null is tested by way of a value that passes. */
const wholeBetween = (variable: string, low: number, high: number) => {
  const value = `coalesce(var.${variable}, ${low})`
  return `${value} >= ${low} && ${value} <= ${high} && floor(${value}) == ${value}`
}

const oneOf = (variable: string, values: readonly (string | number)[]) =>
  rule(`contains(${array(values)}, var.${variable})`, `${variable} must be one of ${values.join(', ')}.`)

const matches = (value: string, pattern: string) => `can(regex(${JSON.stringify(pattern)}, ${value}))`
/** So is a null by way of an ARN that passes. */
const arnRule = (variable: string, value: string, service: string, resource: string) => {
  const passing = `arn:aws:${service}::123456789012:${resource}x`
  return rule(
    matches(
      `coalesce(${value}, "${passing}")`,
      `^arn:[a-z-]+:${service}:[a-z0-9-]*:([0-9]{12}|aws):${resource}`,
    ),
    `${variable} must be the ARN of a ${resource.replace('/', '')}, such as ${passing}.`,
  )
}
const arnsByRegion = (variable: string, service: string, resource: string) =>
  rule(
    `alltrue([for region, arn in var.${variable} : ${matches('arn', `^arn:[a-z-]+:${service}:`)} && strcontains(arn, ":\${region}:")])`,
    `${variable} must be ARNs by the region that each is in, such as { eu-central-1 = "arn:aws:${service}:eu-central-1:123456789012:${resource}" }.`,
  )

/** What the importer may set, in the order of the README's table. None is required: what has no default here is null. */
export const VARIABLES: Record<string, TerraformVariableConfig> = {
  name: {
    type: 'string',
    default: 'lambda-nat-proxy',
    description:
      'Name of the stack: the function, the role, the log group and the buckets are named after it. 3 to 38 characters: lower-case letters, digits and single dashes, a letter first.',
    validation: [
      // 63 characters of a bucket name, less 16 for the longest region with its dash and 9 for the account's hash.
      rule(
        `length(var.name) >= 3 && length(var.name) <= 38 && ${matches('var.name', '^[a-z][a-z0-9]*(-[a-z0-9]+)*$')}`,
        'name must have 3 to 38 characters: lower-case letters, digits and single dashes, a letter first, no dash last.',
      ),
    ],
  },
  name_prefix: {
    type: 'string',
    default: '',
    description:
      'Prefix for the name of every resource, where an organisation requires one. The stack keeps its own name, by which the client finds it. Prefix and name together have 38 characters at most.',
    validation: [
      rule(
        `var.name_prefix == "" || ${matches('var.name_prefix', '^[a-z][a-z0-9]*(-[a-z0-9]+)*-?$')}`,
        'name_prefix must be lower-case letters, digits and single dashes, a letter first.',
      ),
    ],
  },
  regions: {
    type: 'set(string)',
    default: [],
    description: 'AWS regions to put an exit in. Empty: the one region that the provider is configured for.',
    validation: [
      rule(
        `alltrue([for region in var.regions : ${matches('region', '^[a-z]{2,4}(-[a-z]+)+-[0-9]+$')}])`,
        'regions must be AWS region names, such as eu-central-1.',
      ),
    ],
  },
  mode: {
    type: 'string',
    default: 'normal',
    description:
      'How large the function is: test (128 MB, 120 s), normal (256 MB, 600 s) or performance (512 MB, 900 s).',
    validation: [oneOf('mode', Object.keys(MODES))],
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
  sessions: {
    type: 'number',
    default: 1,
    description:
      'Sessions that all clients together keep open at once in each region. Used only to check reserved_concurrency.',
    validation: [rule(wholeBetween('sessions', 1, 5000), 'sessions must be a whole number from 1 to 5000.')],
  },
  reserved_concurrency: {
    type: 'number',
    description:
      "Number of function instances that may run at once in each region: a cap on cost, taken from the account's concurrency. At least twice sessions, because each session is replaced by a new one before it ends. 0 stops all sessions; null sets no cap. 10 suits up to 5 sessions, in an account whose quota leaves another 10 unreserved: a new account has a quota of 10 and allows no reservation.",
    validation: [
      rule(
        wholeBetween('reserved_concurrency', 0, 10000),
        'reserved_concurrency must be a whole number from 0 to 10000.',
      ),
    ],
  },
  stun_servers: {
    type: 'list(string)',
    default: defaultStunServers,
    description: 'STUN servers, as host:port, that the function asks for its public endpoint, in order.',
    validation: [
      rule(
        `length(var.stun_servers) > 0 && alltrue([for server in var.stun_servers : ${matches('server', '^(stun:)?[A-Za-z0-9.-]+(:[1-9][0-9]{0,4})?$')} && tonumber(try(regex(":([0-9]+)$", server)[0], 1)) <= 65535])`,
        'stun_servers must hold at least one server, each as host or host:port, such as stun.example.net:3478.',
      ),
    ],
  },
  turn_servers: {
    type: 'list(string)',
    default: [],
    description:
      'TURN servers that lend the function an address where no direct path is found, for clients that name none: turn:host:port or turns:host:port?transport=tcp. Needs turn_auth.',
    validation: [
      rule(
        `length(var.turn_servers) <= 4 && alltrue([for server in var.turn_servers : ${matches('server', '^(turn:[A-Za-z0-9.-]+(:[1-9][0-9]{0,4})?([?]transport=(udp|tcp))?|turns:[A-Za-z0-9.-]+(:[1-9][0-9]{0,4})?([?]transport=tcp)?)$')}])`,
        'turn_servers must be at most four URIs, such as turn:turn.example.net:3478 or turns:turn.example.net:443?transport=tcp.',
      ),
    ],
  },
  /** A validation would show it where it is refused: its form is a precondition. */
  turn_auth: {
    type: 'string',
    sensitive: true,
    description:
      "What the TURN servers want to see: user:password, or secret= and what is shared with them. It stands in the function's environment, where whoever may read the function's configuration sees it.",
  },
  address_service: {
    type: 'string',
    default: defaultAddressService,
    description:
      'Web service that gives the function its public IPv4 address when no STUN server answers: an https URL that answers with the address alone, or none to have such sessions fail.',
    validation: [
      rule(
        `var.address_service == "none" || ${matches('var.address_service', '^https://[A-Za-z0-9.-]+(:[1-9][0-9]{0,4})?(/[!-~]*)?$')}`,
        'address_service must be an https URL, such as https://checkip.amazonaws.com, or none.',
      ),
    ],
  },
  allow_private: {
    type: 'bool',
    default: false,
    description:
      "Whether clients may reach private, loopback and link-local addresses from the function. Dangerous: these lead into the function's own environment, and into your network if it is attached to one.",
  },
  client_may_invoke: {
    type: 'bool',
    default: true,
    description:
      'Whether the client policy allows lambda:InvokeFunction on the function, so that a client can start it itself when the event from the bucket is late.',
  },
  log_level: {
    type: 'string',
    default: 'INFO',
    description: `Least severe level that the function logs: ${LOG_LEVELS.join(', ')}. DEBUG and below may name the targets that people visit.`,
    validation: [oneOf('log_level', LOG_LEVELS)],
  },
  log_retention_days: {
    type: 'number',
    default: 14,
    description:
      'Days that log records are kept; one of the periods that CloudWatch Logs offers. 0 keeps them for ever.',
    validation: [oneOf('log_retention_days', RETENTION_DAYS)],
  },
  tracing_mode: {
    type: 'string',
    default: 'PassThrough',
    description:
      'X-Ray tracing of the function: PassThrough, or Active, which records a trace for each session.',
    validation: [oneOf('tracing_mode', ['PassThrough', 'Active'])],
  },
  function_zip: {
    type: 'string',
    description:
      "Path of the function's bundle. null: function.zip in the module's folder, or function-arm64.zip with that architecture.",
  },
  function_release: {
    type: 'object({ url = string, sha256 = string })',
    description:
      "The bundle of a release instead of a file: the https URL of its function.zip, and the checksum from its SHA256SUMS. Terraform downloads it with curl (on Linux or macOS) when the function's code changes.",
    validation: [
      rule(
        `${matches('coalesce(try(var.function_release.url, null), "https://-")', '^https://')} && ${matches(`coalesce(try(var.function_release.sha256, null), "${'0'.repeat(64)}")`, '^[0-9A-Fa-f]{64}$')}`,
        'function_release must have an https URL and a SHA-256 checksum of 64 hexadecimal digits.',
      ),
    ],
  },
  function_s3: {
    type: 'map(object({ bucket = string, key = string, version = optional(string), sha256 = optional(string) }))',
    default: {},
    description:
      'The bundle as S3 objects instead of a file, by region, because Lambda reads code only from a bucket in its own region. version is the object version; sha256 the base64 digest. A change of either deploys the function again.',
  },
  runtime: {
    type: 'string',
    default: 'nodejs24.x',
    description: 'Node.js runtime of the function, nodejs22.x or later.',
    validation: [
      rule(
        matches('var.runtime', '^nodejs(2[2-9]|[3-9][0-9])\\.x$'),
        'runtime must be a Node.js runtime of Lambda, nodejs22.x or later.',
      ),
    ],
  },
  architecture: {
    type: 'string',
    default: 'x86_64',
    description:
      'Processor of the function: x86_64 or arm64. The bundle must be of the same: function.zip or function-arm64.zip of a build. arm64 costs a fifth less.',
    validation: [oneOf('architecture', architectures)],
  },
  existing_role: {
    type: 'object({ arn = string })',
    description:
      'Your own role for the function, instead of one that the module makes. It is an object so that a role made in the same apply works. Lambda must be able to assume it, and it needs the permissions in the output function_policy_json before the first session.',
    validation: [arnRule('existing_role', 'try(var.existing_role.arn, null)', 'iam', 'role/')],
  },
  role_path: {
    type: 'string',
    default: '/',
    description: 'IAM path of the roles and the policy that the module makes.',
    validation: [
      rule(
        matches('var.role_path', '^/([!-~]+/)?$'),
        'role_path must begin and end with a slash, such as /proxies/.',
      ),
    ],
  },
  role_permissions_boundary: {
    type: 'string',
    description:
      'ARN of the managed policy that is the permissions boundary of the roles that the module makes.',
    validation: [arnRule('role_permissions_boundary', 'var.role_permissions_boundary', 'iam', 'policy/')],
  },
  kms_key_arn: {
    type: 'map(string)',
    default: {},
    description:
      "KMS key by region for the bucket's objects, the log group and the function's environment, instead of AWS's own keys. The key policy must let CloudWatch Logs use the key; the policies of the module allow it to the function and the clients.",
    validation: [arnsByRegion('kms_key_arn', 'kms', 'key/…')],
  },
  vpc_config: {
    type: 'map(object({ subnet_ids = list(string), security_group_ids = list(string), ipv6_allowed_for_dual_stack = optional(bool, false) }))',
    default: {},
    description:
      'Subnets and security groups to attach the function to, by region. The subnets need outbound UDP to the internet. A NAT gateway maps each destination separately, so that only clients behind an easy NAT connect through one.',
    validation: [
      rule(
        'alltrue([for vpc in values(var.vpc_config) : length(vpc.subnet_ids) > 0 && length(vpc.security_group_ids) > 0])',
        'vpc_config must have at least one subnet and one security group for each region.',
      ),
    ],
  },
  code_signing_config_arn: {
    type: 'map(string)',
    default: {},
    description:
      'Code signing configuration by region. The bundle must then be signed by a publisher that the configuration allows.',
    validation: [arnsByRegion('code_signing_config_arn', 'lambda', 'code-signing-config:csc-…')],
  },
  budget: {
    type: 'object({ limit_usd = number, emails = list(string), roles = optional(list(string), []), groups = optional(list(string), []), users = optional(list(string), []) })',
    description:
      'Monthly budget in US dollars for the Lambda, S3, CloudWatch and data transfer of the account. It mails the addresses at 80 % and when 100 % is forecast. At 100 % it attaches a policy to the named IAM roles, groups and users that denies new sessions, until somebody reverses the action in AWS Budgets. AWS updates costs a few times a day: this is a brake, not a hard cap.',
    validation: [
      rule(
        'try(var.budget.limit_usd, 1) > 0 && length(try(var.budget.emails, ["-"])) > 0 && length(try(var.budget.emails, [])) <= 10',
        'budget must have a limit above 0 and one to ten emails.',
      ),
    ],
  },
  tags: {
    type: 'map(string)',
    default: {},
    description: 'Further tags for every resource that takes tags.',
    validation: [
      rule(
        `length(var.tags) <= 45 && alltrue([for key in keys(var.tags) : !${matches('key', '^(aws|lambda-nat-proxy):')}])`,
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
