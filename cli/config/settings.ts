import type * as v from 'valibot'
import { type Architecture, architectures } from '../../function/architectures.ts'
import { type Mode, modeNames, modes } from '../../function/modes.ts'
import type { PortMappingMode } from '../../tunnel/nat/port-mapping/router.ts'
import { defaultStunServers } from '../../tunnel/nat/stun/server-name.ts'
import { type PathMode, pathModes } from '../../tunnel/nat/turn/source.ts'
import { parseDnsServer } from '../../tunnel/net/dns-server.ts'
import { type EngineName, engineNames } from '../../tunnel/quic/engines/engines.ts'
import { type AuditAction, auditActions } from '../client/audit/audit.ts'
import { parseBudget } from '../client/budget/parse-budget.ts'
import type { BudgetAction } from '../client/budget/spending.ts'
import { type Policy, policies } from '../client/fleet/select.ts'
import { defaultFleetSettings } from '../client/fleet/state.ts'
import { type TriggerMode, triggerModes } from '../client/fleet/trigger.ts'
import { parseBypass, parseRules } from '../client/outbound/rules.ts'
import { defaultDashboardPort } from '../input/dashboard-port.ts'
import { parseListener } from '../input/listener-url.ts'
import * as schema from './schema.ts'

/** One thing that can be set: in the file, by an environment variable, by an option. */
export interface Setting<T> {
  /** What the file may hold. Environment and options give texts, which are read as `kind` says. */
  schema: v.GenericSchema<unknown, T>
  kind: 'text' | 'number' | 'list' | 'rules' | 'yesNo'
  default: T
  /** Option of the command line, and a second name for it. */
  flag: string
  flagAlias?: string
  /** A letter for it. */
  short?: string
  /** A second name for the key in the file. */
  keyAlias?: string
  /** Environment variables besides LAMBDA_NAT_PROXY_<SECTION>_<KEY>, which comes first. */
  environment?: string[]
  /** Stands for the value in --help. */
  valueHint: string
  /** For --help and the comments of a new file; a sentence without its full stop. */
  about: string
  /** What its --no-… does, where it is on by default. */
  aboutNot?: string
  /** A reload applies it to a proxy that runs. */
  live?: true
  /** What a new file shows, commented out, where there is no default to show. */
  example?: T
}

const sizes = modeNames
  .map(name => `${name} (${modes[name].memory} MB, ${modes[name].timeoutMs / 60_000} min)`)
  .join(', ')

/** All settings, by section and key. A further one is a further entry here: file, environment, options and help follow. */
export const settings = {
  'aws.regions': setting<string[]>({
    schema: schema.regions,
    kind: 'list',
    default: [],
    flag: 'regions',
    flagAlias: 'region',
    keyAlias: 'aws.region',
    environment: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
    valueHint: 'a,b',
    about: 'AWS regions of the exits, separated by commas (default: the region of the AWS profile)',
    example: ['eu-central-1', 'us-east-1'],
  }),
  'aws.profile': setting<string | undefined>({
    schema: schema.text,
    kind: 'text',
    default: undefined,
    flag: 'profile',
    environment: ['AWS_PROFILE'],
    valueHint: 'name',
    about: 'Profile of ~/.aws/config to take credentials from (default: as the AWS CLI finds them)',
    example: 'default',
  }),
  'deployment.stack_name': setting<string>({
    schema: schema.stackName,
    kind: 'text',
    default: 'lambda-nat-proxy',
    flag: 'name',
    valueHint: 'name',
    about: 'Name of the deployment, from which everything in AWS is named',
  }),
  'deployment.mode': setting<Mode>({
    schema: schema.mode,
    kind: 'text',
    default: 'normal',
    flag: 'mode',
    valueHint: 'mode',
    about: `Size of the function: ${sizes}`,
  }),
  'deployment.architecture': setting<Architecture>({
    schema: schema.architecture,
    kind: 'text',
    default: 'x86_64',
    flag: 'architecture',
    // Terraform reads it, too, and the zip must be of the same.
    environment: ['TF_VAR_architecture'],
    valueHint: 'processor',
    about: `Processor of the function: ${architectures.join(', ')}; arm64 costs a fifth less and has the native engine only`,
  }),
  'deployment.terraform': setting<string | undefined>({
    schema: schema.text,
    kind: 'text',
    default: undefined,
    flag: 'terraform',
    valueHint: 'path',
    about: 'Terraform or OpenTofu to deploy with (default: terraform or tofu on PATH)',
    example: '/usr/local/bin/tofu',
  }),
  'deployment.probe': setting<boolean>({
    schema: schema.yesNo,
    kind: 'yesNo',
    default: true,
    flag: 'probe',
    valueHint: 'true',
    about: 'Test what was deployed by a session in each region',
    aboutNot: 'Leave out the test session',
  }),
  'proxy.host': setting<string>({
    schema: schema.text,
    kind: 'text',
    default: '127.0.0.1',
    flag: 'host',
    valueHint: 'address',
    about: 'Address to listen on',
  }),
  'proxy.port': setting<number>({
    schema: schema.port,
    kind: 'number',
    default: 1080,
    flag: 'port',
    short: 'p',
    valueHint: 'port',
    about: 'TCP port for SOCKS5 and HTTP, 0 for any free one',
  }),
  'proxy.stun_server': setting<string[]>({
    schema: schema.stunServers,
    kind: 'list',
    default: defaultStunServers,
    flag: 'stun',
    valueHint: 'host:port,…',
    about: 'STUN servers, separated by commas, tried in turn',
  }),
  'proxy.port_mapping': setting<PortMappingMode>({
    schema: schema.portMapping,
    kind: 'text',
    default: 'auto',
    flag: 'port-mapping',
    valueHint: 'auto|off',
    about: 'Ask the router by PCP, NAT-PMP or UPnP to open a port for each exit: auto or off',
  }),
  'proxy.turn': setting<string[]>({
    schema: schema.turnServers,
    kind: 'list',
    default: [],
    flag: 'turn',
    valueHint: 'turn:host:port,…',
    about:
      'TURN servers that relay where no direct path is found: turn:host:port, or turns:host:443 over TLS; with --turn-auth-file',
    example: ['turns:turn.example.com:443'],
  }),
  'proxy.turn_auth_file': setting<string | undefined>({
    schema: schema.text,
    kind: 'text',
    default: undefined,
    flag: 'turn-auth-file',
    valueHint: 'path',
    about: 'File with what the TURN servers want to see: user:password, or secret=… shared with them',
    example: '/etc/lambda-nat-proxy/turn',
  }),
  'proxy.turn_ca': setting<string | undefined>({
    schema: schema.text,
    kind: 'text',
    default: undefined,
    flag: 'turn-ca',
    valueHint: 'path',
    about: "Certificates (PEM) to trust for TURN over TLS, besides the system's",
    example: '/etc/lambda-nat-proxy/turn-ca.pem',
  }),
  'proxy.path': setting<PathMode>({
    schema: schema.path,
    kind: 'text',
    default: 'auto',
    flag: 'path',
    valueHint: pathModes.join('|'),
    about:
      'How packets reach an exit: auto (by TURN where nothing direct is found), direct, or relay (by TURN alone)',
  }),
  'proxy.http_port': setting<number | undefined>({
    schema: schema.port,
    kind: 'number',
    default: undefined,
    flag: 'http-port',
    live: true,
    valueHint: 'port',
    about: 'A further TCP port, for HTTP alone',
    example: 8080,
  }),
  'proxy.listen': setting<string[]>({
    schema: schema.parsedBy(
      'must be a listener such as http://127.0.0.1:8080, or a list of them',
      parseListener,
    ),
    kind: 'list',
    default: [],
    flag: 'listen',
    live: true,
    valueHint: 'scheme://address:port,…',
    about:
      'Further listeners: mixed, socks5 or http, address and port; ?auth-file=path gives one logins of its own',
    example: ['socks5://127.0.0.1:1081', 'http://127.0.0.1:8080'],
  }),
  'proxy.auth_file': setting<string | undefined>({
    schema: schema.text,
    kind: 'text',
    default: undefined,
    flag: 'auth-file',
    live: true,
    valueHint: 'path',
    about: 'File of logins, which "login add" writes, or user:password lines; clients must then log in',
    example: '/etc/lambda-nat-proxy/logins.yaml',
  }),
  'proxy.allow_open': setting<boolean>({
    schema: schema.yesNo,
    kind: 'yesNo',
    default: false,
    flag: 'allow-open',
    live: true,
    valueHint: 'true',
    about: 'Let other machines use the proxy without a login',
  }),
  'proxy.bypass': setting<string[]>({
    schema: schema.parsedBy('must be a name or network, or a list of them', parseBypass),
    kind: 'list',
    default: [],
    flag: 'bypass',
    live: true,
    valueHint: '*.example.com,10.0.0.0/8',
    about: 'Names and networks to reach directly, without an exit',
    example: ['*.example.com', '10.0.0.0/8'],
  }),
  'proxy.rules': setting<string[]>({
    schema: schema.parsedBy('must be a rule such as "block *:25", or a list of them', rule =>
      parseRules([rule]),
    ),
    kind: 'rules',
    default: [],
    flag: 'rules',
    live: true,
    valueHint: 'block *:25;…',
    about: 'Rules "direct …", "tunnel …" and "block …" by name, network and port; the first match counts',
    example: ['block *:25', 'direct *.example.com,10.0.0.0/8'],
  }),
  'proxy.dns': setting<string | undefined>({
    schema: schema.oneParsedBy(parseDnsServer),
    kind: 'text',
    default: undefined,
    flag: 'dns',
    valueHint: 'address|https://…',
    about: 'DNS server or DNS-over-HTTPS URL that the exit resolves names with (default: its own resolver)',
    example: '1.1.1.1',
  }),
  'fleet.sessions': setting<number>({
    schema: schema.count(1, 64),
    kind: 'number',
    default: defaultFleetSettings.sessions,
    flag: 'sessions',
    live: true,
    valueHint: 'n',
    about: 'Number of exits in use at once',
  }),
  'fleet.standby': setting<number>({
    schema: schema.count(0, 16),
    kind: 'number',
    default: defaultFleetSettings.standby,
    flag: 'standby',
    live: true,
    valueHint: 'n',
    about: 'Number of exits kept ready besides; each is billed as if it were used',
  }),
  'fleet.rotate': setting<string | undefined>({
    schema: schema.duration,
    kind: 'text',
    default: undefined,
    flag: 'rotate',
    live: true,
    valueHint: 'duration',
    about:
      'Replace each exit after this time, as in 90s, 5m or 1h (default: shortly before its function must end)',
    example: '5m',
  }),
  'fleet.idle': setting<string>({
    schema: schema.idle,
    kind: 'text',
    default: '15m',
    flag: 'idle',
    live: true,
    valueHint: 'duration',
    about:
      'Let the exits go when no connection was open for this long; the next one waits while an exit starts. never keeps them',
  }),
  'fleet.connections_per_exit': setting<number | undefined>({
    schema: schema.count(1, 100_000),
    kind: 'number',
    default: undefined,
    flag: 'connections-per-exit',
    live: true,
    valueHint: 'n',
    about: 'Replace an exit after so many connections (default: 10 with --exit fresh, else never)',
    example: 100,
  }),
  'fleet.distinct': setting<boolean>({
    schema: schema.yesNo,
    kind: 'yesNo',
    default: false,
    flag: 'distinct',
    live: true,
    valueHint: 'true',
    about:
      'Replace an exit whose public address another exit of this run has or had, three times in a row at most',
  }),
  'fleet.exit': setting<Policy>({
    schema: schema.policy,
    kind: 'text',
    default: 'sticky',
    flag: 'exit',
    live: true,
    valueHint: 'policy',
    about: `How connections are spread over the exits: ${policies.join(', ')}; with sticky a site keeps its exit, with fresh each connection gets one that its site has not seen`,
  }),
  'fleet.launches_per_minute': setting<number>({
    schema: schema.count(1, 1000),
    kind: 'number',
    default: defaultFleetSettings.launchesPerMinute,
    flag: 'launches-per-minute',
    live: true,
    valueHint: 'n',
    about: 'Most launches in any minute, so that a crash loop cannot run up costs',
  }),
  'fleet.rotate_on': setting<number[]>({
    schema: schema.statuses,
    kind: 'list',
    default: [],
    flag: 'rotate-on',
    live: true,
    valueHint: '403,429',
    about: 'Use another exit for a site whose plain HTTP answers have one of these codes',
    example: [403, 429],
  }),
  'proxy.optimistic': setting<boolean>({
    schema: schema.yesNo,
    kind: 'yesNo',
    default: false,
    flag: 'optimistic',
    live: true,
    valueHint: 'true',
    about:
      'Tell applications that they are connected before the exit has reached the target: saves a round trip, and a refusal is then a broken connection',
  }),
  'fleet.budget': setting<string | undefined>({
    schema: schema.oneParsedBy(parseBudget),
    kind: 'text',
    default: undefined,
    flag: 'budget',
    live: true,
    valueHint: '5/month',
    about: 'US dollars that all runs on this machine may spend in a day or month (UTC), by list prices',
    example: '5/month',
  }),
  'fleet.budget_action': setting<BudgetAction>({
    schema: schema.budgetAction,
    kind: 'text',
    default: 'stop',
    flag: 'budget-action',
    live: true,
    valueHint: 'action',
    about: 'At the end of the budget: stop (exits are let go, connections refused) or warn',
  }),
  'proxy.engine': setting<EngineName | 'auto'>({
    schema: schema.engine,
    kind: 'text',
    default: 'auto',
    flag: 'engine',
    valueHint: 'name',
    about: `What runs QUIC at this end: auto, ${engineNames.join(', ')}; auto takes the native engine where it was built`,
  }),
  'fleet.trigger': setting<TriggerMode>({
    schema: schema.trigger,
    kind: 'text',
    default: 'auto',
    flag: 'trigger',
    valueHint: 'how',
    about: `What starts the function: ${triggerModes.join(', ')}; auto invokes it when the event of S3 takes over 2 s`,
  }),
  'fleet.answer_timeout': setting<string>({
    schema: schema.duration,
    kind: 'text',
    default: '30s',
    flag: 'answer-timeout',
    valueHint: 'duration',
    about: 'How long the function may take to answer an offer',
  }),
  'audit.file': setting<string | undefined>({
    schema: schema.text,
    kind: 'text',
    default: undefined,
    flag: 'audit',
    valueHint: 'path',
    about: 'File to write each connection into: whose it was, where it went, what it carried, when',
    example: '/var/log/lambda-nat-proxy/audit.jsonl',
  }),
  'audit.max_size': setting<string>({
    schema: schema.size,
    kind: 'text',
    default: '100MB',
    flag: 'audit-max-size',
    valueHint: 'size',
    about: 'The audit file is set aside when it would grow beyond this size',
  }),
  'audit.keep': setting<number>({
    schema: schema.count(1, 1000),
    kind: 'number',
    default: 10,
    flag: 'audit-keep',
    valueHint: 'n',
    about: 'Number of audit files kept that were set aside; older ones are deleted',
  }),
  'audit.on_failure': setting<AuditAction>({
    schema: schema.auditAction,
    kind: 'text',
    default: 'warn',
    flag: 'audit-failure',
    valueHint: 'action',
    about: `While the audit file cannot be written: ${auditActions.join(' or ')} new connections`,
  }),
  'dashboard.enabled': setting<boolean>({
    schema: schema.yesNo,
    kind: 'yesNo',
    default: true,
    flag: 'dashboard',
    valueHint: 'true',
    about: 'Serve the dashboard and its metrics',
    aboutNot: 'Serve no dashboard',
  }),
  'dashboard.host': setting<string>({
    schema: schema.text,
    kind: 'text',
    default: '127.0.0.1',
    flag: 'dashboard-host',
    valueHint: 'address',
    about: 'Address of the dashboard; one that other machines reach needs --dashboard-auth-file',
  }),
  'dashboard.auth_file': setting<string | undefined>({
    schema: schema.text,
    kind: 'text',
    default: undefined,
    flag: 'dashboard-auth-file',
    valueHint: 'path',
    about: 'File of logins, as of --auth-file, for those who may see and use the dashboard',
    example: '/etc/lambda-nat-proxy/admins.yaml',
  }),
  'dashboard.port': setting<number | undefined>({
    schema: schema.port,
    kind: 'number',
    default: undefined,
    flag: 'dashboard-port',
    valueHint: 'port',
    about: `TCP port of the dashboard, 0 for any free one (default: ${defaultDashboardPort}, or the next free one)`,
    example: defaultDashboardPort,
  }),
} as const

export type Key = keyof typeof settings
export type Values = { [K in Key]: (typeof settings)[K]['default'] }

export const keys = Object.keys(settings) as Key[]

/** Sections of the file, and what each is for. */
export const sections: Record<string, string> = {
  aws: 'Where in AWS',
  deployment: 'What "deploy" deploys',
  proxy: 'Where "run" listens, and what goes where',
  fleet: 'The exits of "run"',
  audit: 'The audit file of "run"',
  dashboard: 'The dashboard of "run"',
}

/** The environment variables that a setting is read from; the first that is set counts. */
export const environmentOf = (key: Key): string[] => [
  `LAMBDA_NAT_PROXY_${key.toUpperCase().replace('.', '_')}`,
  ...(entry(key).environment ?? []),
]

/** A setting whose type is known at run time only. */
export const entry = (key: Key): Setting<unknown> => settings[key] as Setting<unknown>

// --- internal ---

function setting<T>(definition: Setting<T>): Setting<T> {
  return definition
}
