import { parseStunServers } from '../../tunnel/nat/stun/server-name.ts'
import { type BucketOptions, openBucket, type SignalBucket } from '../../tunnel/signalling/bucket.ts'
import { offerEvent } from '../../tunnel/signalling/offer-record.ts'
import type { SessionSource } from '../client/fleet/session-source.ts'
import type { Trigger, TriggerMode } from '../client/fleet/trigger.ts'
import { engineOf } from '../config/engine.ts'
import type { Config } from '../config/load.ts'
import { portMapperOf } from '../config/port-mapping.ts'
import { readDuration } from '../input/duration.ts'
import { UsageError } from '../input/usage-error.ts'
import { whenAborted } from '../input/when-aborted.ts'
import { localFunctionZip } from './function-zip.ts'
import { invoker } from './invoke.ts'
import type { SignallingOptions } from './signalling-options.ts'

/** What a session needs before it begins: a bucket by region, and STUN servers. */
export interface Signalling extends SessionSource {
  close(): Promise<void>
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
export function openSignalling(options: SignallingOptions, signal: AbortSignal): Promise<Signalling> {
  const { config, relay, local } = options
  const { values } = config
  const common = { answerMs: readDuration(values['fleet.answer_timeout'])!, relay, engine: engineOf(config) }
  return local ? openEmbedded(config, local, common, signal) : openDeployed(options, common, signal)
}

// --- internal ---

type Common = Pick<Signalling, 'answerMs' | 'relay' | 'engine'>

async function openEmbedded(
  { values, sources }: Config,
  { regions, ...options }: NonNullable<SignallingOptions['local']>,
  common: Common,
  signal: AbortSignal,
): Promise<Signalling> {
  // Loaded for this alone: the embedded cloud is the larger part of the program.
  const { startCloud } = await import('../cloud/cloud.ts')
  const cloud = await startCloud({
    ...options,
    ...(regions.length > 0 && { regions }),
    functionZip: localFunctionZip(),
    signal,
  })
  const { endpoint, credentials } = cloud
  const triggerAt = (region: string, bucket: string): Trigger => {
    const invoke = async (id: string) =>
      void cloud.deliver(offerEvent({ region, bucket, id }), region).catch(() => {})
    // Here events are never late: a slow start is no reason for a second one.
    return values['fleet.trigger'] === 'invoke' ? { mode: 'invoke', invoke } : { mode: 's3' }
  }
  const buckets = [...cloud.buckets]
  return {
    ...common,
    buckets: new Map(
      buckets.map(([region, bucket]) => [
        region,
        untilTheEnd(openBucket({ bucket, region, endpoint, credentials }), signal),
      ]),
    ),
    triggers: new Map(buckets.map(([region, name]) => [region, triggerAt(region, name)])),
    allowPrivate: true,
    // Its own, unless others are asked for in this very command: those of the configuration are for AWS.
    stunServers:
      sources['proxy.stun_server'].kind === 'flag'
        ? stunServersOf(values)
        : parseStunServers(cloud.stunServers.join(',')),
    close: cloud.close,
  }
}

async function openDeployed(
  { config, bucket }: SignallingOptions,
  common: Common,
  signal: AbortSignal,
): Promise<Signalling> {
  const { values, sources } = config
  await using started = new AsyncDisposableStack()
  // It asks at once, so that who answers is known by the time of a launch; it stops where there is none.
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
    [...places].map(
      ([name, place]) => [name, { ...triggerOf(values['fleet.trigger'], name, place), deployedAt }] as const,
    ),
  )
  const buckets = opened(
    [...places].map(([name, { bucket, account }]) => [
      name,
      { bucket, owner: account, region: found ? name : region },
    ]),
  )
  const kept = started.move()
  return {
    ...common,
    buckets,
    triggers,
    portMapper,
    allowPrivate: false,
    stunServers: stunServersOf(values),
    async close() {
      for (const each of buckets.values()) each.close()
      await kept.disposeAsync()
    },
  }
}

const stunServersOf = (values: Config['values']) => parseStunServers(values['proxy.stun_server'].join(','))

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
