import type { PortMapper } from '../../../tunnel/nat/port-mapping/mapper.ts'
import type { StunServerName } from '../../../tunnel/nat/stun/server-name.ts'
import type { RelaySource } from '../../../tunnel/nat/turn/source.ts'
import type { EngineName } from '../../../tunnel/quic/engines/engines.ts'
import type { SignalBucket } from '../../../tunnel/signalling/bucket.ts'
import { type LaunchOptions, launch, type Session } from './launch.ts'
import type { Trigger } from './trigger.ts'

/** What sessions are made from. */
export interface SessionSource {
  /** By region. */
  buckets: ReadonlyMap<string, SignalBucket>
  /** How each region's function is started; by S3's event where nothing is said. */
  triggers?: ReadonlyMap<string, Trigger>
  /** How long a function may take to answer. Milliseconds. */
  answerMs?: number | undefined
  stunServers: StunServerName[]
  /** Asks the router to open a port for each session; none where it is not to be asked. */
  portMapper?: PortMapper | undefined
  /** What lends sessions an address, where a TURN server is named. */
  relay?: RelaySource | undefined
  /** What runs QUIC at this end; the preferred engine where nothing is said. */
  engine?: EngineName | undefined
  /** Exits may have private addresses. */
  allowPrivate?: boolean
}

/** Launches a session in one of its regions; throws what launch() throws. */
export function launchIn(
  { buckets, triggers, ...common }: SessionSource,
  region: string,
  options: Omit<LaunchOptions, 'bucket' | 'trigger' | keyof SessionSource>,
): Promise<Session> {
  return launch({ ...common, ...options, bucket: buckets.get(region)!, trigger: triggers?.get(region) })
}
