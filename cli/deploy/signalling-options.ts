import { consola } from 'consola'
import { type Mode, modeNames } from '../../function/modes.ts'
import type { RelaySource } from '../../tunnel/nat/turn/source.ts'
import type { LogRecord } from '../cloud/log.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { optionsFor } from '../config/options.ts'
import { relayOf } from '../config/relay.ts'
import { readList } from '../input/list.ts'
import { UsageError } from '../input/usage-error.ts'

/** Where sessions begin: in the embedded cloud, by a bucket's name, or in the deployment that the settings name. */
export interface SignallingOptions {
  config: Config
  /** What lends sessions an address, where a TURN server is named. */
  relay?: RelaySource | undefined
  /** The embedded cloud, on this machine, in place of AWS. */
  local?: {
    regions: string[]
    mode: Mode
    allowPrivate: boolean
    logLevel?: string
    onLog?: (record: LogRecord) => void
  }
  /** A bucket by name, in place of the deployment's. */
  bucket?: string | undefined
}

/** The options of the commands that start sessions. */
export const signallingOptions = {
  ...optionsFor(
    'deployment.stack_name',
    'aws.regions',
    'aws.profile',
    'proxy.stun_server',
    'proxy.port_mapping',
    'proxy.path',
    'proxy.turn',
    'proxy.turn_auth_file',
    'proxy.turn_ca',
    'proxy.engine',
    'fleet.trigger',
    'fleet.answer_timeout',
  ),
  'turn-auth': {
    type: 'string',
    valueHint: 'user:password',
    group: 'Proxy',
    description:
      'TURN credentials; others can see them in the process list, so prefer LAMBDA_NAT_PROXY_TURN_AUTH or --turn-auth-file',
  },
  bucket: {
    type: 'string',
    valueHint: 'name',
    group: 'AWS',
    description: "Signalling bucket (default: the deployment's, in each of its regions)",
  },
  local: {
    type: 'boolean',
    default: false,
    group: 'Embedded cloud',
    description: 'Run the exits on this machine, in the embedded cloud; needs no AWS account',
  },
  'allow-private': {
    type: 'boolean',
    default: false,
    group: 'Embedded cloud',
    description: 'With --local: let the exits reach private and loopback addresses',
  },
  mode: {
    type: 'enum',
    options: [...modeNames] as string[],
    default: 'normal',
    group: 'Embedded cloud',
    description: 'With --local: memory and time limit of the function',
  },
} as const

/** What these options are, as citty gives them. */
export interface SignallingArgs {
  local: boolean
  bucket?: string | undefined
  'turn-auth'?: string | undefined
  'allow-private': boolean
  mode: string
  [option: string]: unknown
}

/** Reads configuration and options. Throws a UsageError for what is wrong with them, or does not go together. */
export async function readSignalling(args: SignallingArgs): Promise<SignallingOptions> {
  const { local, bucket, 'allow-private': allowPrivate, 'turn-auth': auth, mode, ...others } = args
  if (!local && allowPrivate)
    throw new UsageError(
      '--allow-private goes with --local; a deployment allows private targets by its variable allow_private',
    )
  if (auth !== undefined)
    consola.warn(
      'Other users of this machine can see --turn-auth in the process list: set LAMBDA_NAT_PROXY_TURN_AUTH, or give --turn-auth-file',
    )
  const withRelay = async (config: Config) => ({ config, relay: await relayOf(config, { auth }) })
  if (!local) return { ...(await withRelay(await loadConfig({ flags: others }))), bucket }
  if (bucket) throw new UsageError('--local has a bucket of its own: leave out --bucket')
  // Any names will do as regions here, and the configured ones do not matter.
  const { regions, region = regions, ...flags } = others
  return {
    ...(await withRelay(await loadConfig({ flags }))),
    local: {
      regions: region === undefined ? [] : readList(String(region)),
      mode: mode as Mode,
      allowPrivate,
    },
  }
}
