import type * as v from 'valibot'
import { defaultStunServers } from '../../tunnel/stun/server-name.ts'
import { type Mode, modeNames, modes } from './modes.ts'
import * as schema from './schema.ts'

/** One thing that can be set: in the file, by an environment variable, by an option. */
export interface Setting<T> {
  /** What the file may hold. Environment and options give texts, which are read as `kind` says. */
  schema: v.GenericSchema<unknown, T>
  kind: 'text' | 'number' | 'list'
  default: T
  /** Option of the command line, and a second name for it. */
  flag: string
  flagAlias?: string
  /** A second name for the key in the file. */
  keyAlias?: string
  /** Environment variables besides LAMBDA_NAT_PROXY_<SECTION>_<KEY>, which comes first. */
  environment?: string[]
  /** Stands for the value in --help. */
  valueHint: string
  /** For --help and the comments of a new file; a sentence without its full stop. */
  about: string
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
    about: 'AWS regions to have exits in, one or a list; none: the region of the AWS profile',
    example: ['eu-central-1', 'us-east-1'],
  }),
  'aws.profile': setting<string | undefined>({
    schema: schema.text,
    kind: 'text',
    default: undefined,
    flag: 'profile',
    environment: ['AWS_PROFILE'],
    valueHint: 'name',
    about: 'Profile of ~/.aws/config with the credentials; none: as the AWS CLI finds them',
    example: 'default',
  }),
  'deployment.stack_name': setting<string>({
    schema: schema.stackName,
    kind: 'text',
    default: 'lambda-nat-proxy',
    flag: 'name',
    valueHint: 'name',
    about: 'Name of the deployment; all that it makes in AWS is named from it',
  }),
  'deployment.mode': setting<Mode>({
    schema: schema.mode,
    kind: 'text',
    default: 'normal',
    flag: 'mode',
    valueHint: 'mode',
    about: `Size of the function: ${sizes}`,
  }),
  'deployment.terraform': setting<string | undefined>({
    schema: schema.text,
    kind: 'text',
    default: undefined,
    flag: 'terraform',
    valueHint: 'path',
    about: 'Terraform or OpenTofu to deploy with; none: terraform or tofu on PATH',
    example: '/usr/local/bin/tofu',
  }),
  'proxy.host': setting<string>({
    schema: schema.text,
    kind: 'text',
    default: '127.0.0.1',
    flag: 'host',
    valueHint: 'address',
    about: 'Address that the proxy listens on',
  }),
  'proxy.port': setting<number>({
    schema: schema.port,
    kind: 'number',
    default: 1080,
    flag: 'port',
    valueHint: 'port',
    about: 'TCP port of the SOCKS5 listener, 0 for any free',
  }),
  'proxy.stun_server': setting<string[]>({
    schema: schema.stunServers,
    kind: 'list',
    default: defaultStunServers,
    flag: 'stun',
    valueHint: 'host:port,…',
    about: 'STUN servers, one or a list, tried in turn',
  }),
} as const

export type Key = keyof typeof settings
export type Values = { [K in Key]: (typeof settings)[K]['default'] }

export const keys = Object.keys(settings) as Key[]

/** Sections of the file, and what each is for. */
export const sections: Record<string, string> = {
  aws: 'Where in AWS',
  deployment: 'What "deploy" makes',
  proxy: 'What "run" listens on',
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
