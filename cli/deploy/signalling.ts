import { consola } from 'consola'
import { type Mode, modeNames } from '../../function/modes.ts'
import { parseStunServers } from '../../tunnel/nat/stun/server-name.ts'
import type { RelaySource } from '../../tunnel/nat/turn/source.ts'
import { type BucketOptions, openBucket, type SignalBucket } from '../../tunnel/signalling/bucket.ts'
import { offerEvent } from '../../tunnel/signalling/offer-record.ts'
import type { SessionSource } from '../client/fleet/session-source.ts'
import type { Trigger, TriggerMode } from '../client/fleet/trigger.ts'
import type { LogRecord } from '../cloud/log.ts'
import { engineOf } from '../config/engine.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { optionsFor } from '../config/options.ts'
import { portMapperOf } from '../config/port-mapping.ts'
import { relayOf } from '../config/relay.ts'
import { readDuration } from '../input/duration.ts'
import { readList } from '../input/list.ts'
import { UsageError } from '../input/usage-error.ts'
import { whenAborted } from '../input/when-aborted.ts'
import { localFunctionZip } from './function-zip.ts'
import { invoker } from './invoke.ts'

/** What a session needs before it begins: a bucket by region, and STUN servers. */
export interface Signalling extends SessionSource {
  close(): Promise<void>
}

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

/** Throws what openSignalling would for what is wrong on this machine: it asks nobody else, and starts nothing. */
export async function checkSignalling({ config, local, bucket }: SignallingOptions): Promise<void> {
  if (local || bucket) return
  const { regionsOf, useProfile } = await import('./aws.ts')
  useProfile(config)
  await regionsOf(config)
}

/**
 * Starts the embedded cloud, or opens the named bucket, or finds the deployment. Throws what says why it cannot, or the
 * signal's reason; nothing is left running then.
 */
export async function openSignalling(
  { config, relay, local, bucket }: SignallingOptions,
  signal: AbortSignal,
): Promise<Signalling> {
  const { values, sources } = config
  const mode = values['fleet.trigger']
  const engine = engineOf(config)
  const answerMs = readDuration(values['fleet.answer_timeout'])!
  const stun = () => parseStunServers(values['proxy.stun_server'].join(','))
  if (local) {
    // Loaded for this alone: the embedded cloud is the larger part of the program.
    const { startCloud } = await import('../cloud/cloud.ts')
    const { regions, ...options } = local
    const cloud = await startCloud({
      ...options,
      ...(regions.length > 0 && { regions }),
      functionZip: localFunctionZip(),
      signal,
    })
    const { buckets, endpoint, credentials, stunServers } = cloud
    const triggerAt = (region: string, bucket: string): Trigger => {
      const invoke = async (id: string) =>
        void cloud.deliver(offerEvent({ region, bucket, id }), region).catch(() => {})
      // Here events are never late: a slow start is no reason for a second one.
      return mode === 'invoke' ? { mode, invoke } : { mode: 's3' }
    }
    const ownStun = sources['proxy.stun_server'].kind === 'flag'
    return {
      buckets: new Map(
        [...buckets].map(([region, name]) => [
          region,
          untilTheEnd(openBucket({ bucket: name, region, endpoint, credentials }), signal),
        ]),
      ),
      triggers: new Map([...buckets].map(([region, name]) => [region, triggerAt(region, name)])),
      answerMs,
      relay,
      engine,
      allowPrivate: true,
      stunServers: ownStun ? stun() : parseStunServers(stunServers.join(',')),
      close: cloud.close,
    }
  }
  // It asks at once, so that who answers is known by the time of a launch; it stops where there is none.
  await using started = new AsyncDisposableStack()
  const portMapper = portMapperOf(config)
  if (portMapper) started.defer(portMapper.close)
  const { useProfile } = await import('./aws.ts')
  useProfile(config)
  const [region] = values['aws.regions']
  const finding = bucket
    ? undefined
    : import('./find.ts').then(({ findDeployment }) => findDeployment(config))
  const deployment = finding && (await Promise.race([finding, whenAborted(signal)]))
  const found = deployment?.regions
  // Who says how long to wait is taken at their word.
  const deployedAt = sources['fleet.answer_timeout'].kind === 'default' ? deployment?.changedAt : undefined
  const places: Map<string, Reached> =
    found ?? new Map([[region ?? 'default-region', named(bucket!, region)]])
  const triggers = new Map(
    [...places].map(([name, place]) => [name, { ...triggerOf(mode, name, place), deployedAt }] as const),
  )
  const buckets = opened(
    [...places].map(([name, { bucket, account }]) => [
      name,
      { bucket, owner: account, region: found ? name : region },
    ]),
  )
  const kept = started.move()
  return {
    buckets,
    triggers,
    portMapper,
    relay,
    answerMs,
    engine,
    allowPrivate: false,
    stunServers: stun(),
    async close() {
      for (const each of buckets.values()) each.close()
      await kept.disposeAsync()
    },
  }
}

// --- internal ---

/** What is known of a region's stack: without its function's name there is nothing to invoke. */
interface Reached {
  bucket: string
  functionName?: string | undefined
  /** Whose bucket it has to be; by its name alone a bucket may be anybody's. */
  account?: string | undefined
}

const opened = (named: [region: string, options: BucketOptions][]): Map<string, SignalBucket> =>
  new Map(named.map(([region, options]) => [region, openBucket(options)]))

/** A bucket that goes when this process ends: then nothing is removed from it one by one. */
const untilTheEnd = (bucket: SignalBucket, signal: AbortSignal): SignalBucket => ({
  ...bucket,
  remove: async id => (signal.aborted ? undefined : bucket.remove(id)),
})

/** A bucket alone: the module names it after the stack, which is the function's name, too. */
function named(bucket: string, region: string | undefined): Reached {
  const [, functionName] = (region && new RegExp(`^(.+)-${region}-[0-9a-f]{8}$`).exec(bucket)) || []
  return { bucket, functionName }
}

function triggerOf(mode: TriggerMode, region: string, { bucket, functionName }: Reached): Trigger {
  if (functionName === undefined && mode === 'invoke')
    throw new UsageError(
      '--trigger invoke needs the function: leave out --bucket, and name the deployment with --name',
    )
  return { mode, ...(functionName !== undefined && invoker({ region, bucket, functionName })) }
}
