import { openBucket, type SignalBucket } from '../tunnel/signal/bucket.ts'
import { parseStunServers, type StunServerName } from '../tunnel/stun/server-name.ts'
import { type Config, loadConfig } from './config/load.ts'
import { optionsFor } from './config/options.ts'
import { functionZip } from './function-zip.ts'
import { useProfile } from './infra/aws.ts'
import { findDeployment } from './infra/find.ts'
import { type Cloud, startCloud } from './local/cloud.ts'
import type { LogRecord } from './local/log.ts'
import { UsageError } from './usage-error.ts'

/** The options of a command that has exits launched. */
export const sourceOptions = {
  ...optionsFor('deployment.stack_name', 'aws.regions', 'aws.profile', 'proxy.stun_server'),
  bucket: {
    type: 'string',
    valueHint: 'name',
    description: 'Signalling bucket to use in place of the deployment’s; --region says where it is',
  },
  local: {
    type: 'boolean',
    default: false,
    description: 'Run against the embedded cloud on this machine; needs no AWS account',
  },
  mode: {
    ...optionsFor('deployment.mode').mode!,
    description: 'With --local: size and time limit of the function',
  },
  'allow-private': {
    type: 'boolean',
    default: false,
    description: 'With --local: let the exit reach private and loopback addresses',
  },
} as const

/** What these options say, as citty gives them. */
export interface SourceArgs {
  local: boolean
  bucket?: string
  'allow-private': boolean
  [option: string]: unknown
}

/** Where exits are asked for. */
export interface SignalSource {
  /** Region → its signalling bucket. */
  buckets: Map<string, SignalBucket>
  stunServers: StunServerName[]
  /** With --local. */
  cloud?: Cloud
  close(): Promise<void>
}

export interface SourceOptions {
  /** Least level of the function's log, with --local. */
  logLevel?: string
  onLog?: (record: LogRecord) => void
}

/** The configuration of a command that has these options. Throws a UsageError for those that do not go together. */
export async function loadSourceConfig(args: SourceArgs): Promise<Config> {
  if (args.local && args.bucket !== undefined)
    throw new UsageError('--local has a bucket of its own: leave out --bucket')
  if (args['allow-private'] && !args.local)
    throw new UsageError(
      '--allow-private goes with --local; a deployment allows private targets by its variable allow_private',
    )
  // The embedded cloud's regions have names of their own.
  const { regions: _, region: __, ...others } = args
  return loadConfig({ flags: args.local ? others : args })
}

/**
 * The buckets to launch exits by: of the embedded cloud, which is started; the one that is named; or those of the
 * deployment. Throws what startCloud and findDeployment throw.
 */
export async function openSource(
  config: Config,
  args: SourceArgs,
  options: SourceOptions = {},
): Promise<SignalSource> {
  if (args.local) return localSource(config, args, options)
  useProfile(config)
  const [region] = config.values['aws.regions']
  const buckets =
    args.bucket === undefined
      ? await deployedBuckets(config)
      : new Map([
          [region ?? 'default-region', openBucket({ bucket: args.bucket, ...(region && { region }) })],
        ])
  return {
    buckets,
    stunServers: stunServersOf(config),
    async close() {
      for (const bucket of buckets.values()) bucket.close()
    },
  }
}

// --- internal ---

async function localSource(config: Config, args: SourceArgs, options: SourceOptions): Promise<SignalSource> {
  const regions = (args.regions ?? args.region) as string | undefined
  const cloud = await startCloud({
    ...options,
    functionZip: functionZip(),
    mode: config.values['deployment.mode'],
    allowPrivate: args['allow-private'],
    ...(regions !== undefined && { regions: regions.split(',').map(region => region.trim()) }),
  })
  const { endpoint, credentials } = cloud
  const asked = config.sources['proxy.stun_server'].kind !== 'default'
  return {
    cloud,
    buckets: new Map(
      [...cloud.buckets].map(([region, bucket]) => [
        region,
        openBucket({ bucket, region, endpoint, credentials }),
      ]),
    ),
    stunServers: asked ? stunServersOf(config) : parseStunServers(cloud.stunServers.join(',')),
    close: () => cloud.close(),
  }
}

async function deployedBuckets(config: Config): Promise<Map<string, SignalBucket>> {
  const { regions } = await findDeployment(config)
  return new Map([...regions].map(([region, { bucket }]) => [region, openBucket({ bucket, region })]))
}

const stunServersOf = ({ values }: Config) => parseStunServers(values['proxy.stun_server'].join(','))
