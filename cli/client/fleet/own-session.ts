import { setTimeout as sleep } from 'node:timers/promises'
import type { PortMapper } from '../../../tunnel/nat/port-mapping/mapper.ts'
import type { StunServerName } from '../../../tunnel/nat/stun/server-name.ts'
import type { RelaySource } from '../../../tunnel/nat/turn/source.ts'
import type { EngineName } from '../../../tunnel/quic/engines/engines.ts'
import type { SignalBucket } from '../../../tunnel/signalling/bucket.ts'
import { newSessionId } from '../../../tunnel/signalling/documents.ts'
import type { Starter } from '../../../tunnel/signalling/offer-record.ts'
import type { Step } from '../stats/events.ts'
import { launch, type Session } from './launch.ts'
import type { Trigger } from './trigger.ts'

/** What a session needs before it begins. */
export interface SessionSource {
  /** By region. */
  buckets: ReadonlyMap<string, SignalBucket>
  /** How each region's function is started; by S3's event where nothing is said. */
  triggers?: ReadonlyMap<string, Trigger>
  /** How long a function may take to answer. Milliseconds. */
  answerMs?: number | undefined
  stunServers: StunServerName[]
  /** Asks the router to open a port for the session; none where it is not to be asked. */
  portMapper?: PortMapper | undefined
  /** What lends the session an address, where a TURN server is named. */
  relay?: RelaySource | undefined
  /** What runs QUIC at this end. */
  engine?: EngineName | undefined
  /** The exit may have a private address. */
  allowPrivate?: boolean
}

/** A session for one command, apart from what `run` keeps. */
export interface OwnSession {
  session: Session
  region: string
  /** What each step of the set-up took, in milliseconds. */
  steps: Partial<Record<Step, number>>
  /** What started the function, where it tells. */
  startedBy: Starter | undefined
  setUpMs: number
  /** Says bye, and deletes offer and answer. */
  end(): Promise<void>
}

/** S3 may be what is gone. Milliseconds. */
const endLimitMs = 2_000

/** Launches an exit in the first region; throws what launch() throws. Nothing is left of one that was called off. */
export async function startOwnSession(
  {
    buckets,
    triggers,
    answerMs,
    stunServers,
    portMapper,
    relay,
    engine,
    allowPrivate = false,
  }: SessionSource,
  signal: AbortSignal,
  onWaiting?: (region: string, limitMs: number) => void,
): Promise<OwnSession> {
  const [region, bucket] = [...buckets][0]!
  const id = newSessionId()
  const steps: OwnSession['steps'] = {}
  let startedBy: OwnSession['startedBy']
  const started = performance.now()
  const session = await launch({
    id,
    bucket,
    trigger: triggers?.get(region),
    answerMs,
    stunServers,
    portMapper,
    relay,
    engine,
    allowPrivate,
    signal,
    onStep(step, ms, _, start) {
      steps[step] = ms
      startedBy ??= start?.startedBy
    },
    onWaiting: limitMs => onWaiting?.(region, limitMs),
  })
  const end = async () => {
    session.bye('done')
    await Promise.race([bucket.remove(id).catch(() => {}), sleep(endLimitMs, undefined, { ref: false })])
  }
  // Called off in its last moments it came up all the same.
  if (signal.aborted) {
    await end()
    throw signal.reason
  }
  return { session, region, steps, startedBy, setUpMs: performance.now() - started, end }
}
