import { setTimeout as sleep } from 'node:timers/promises'
import { newSessionId } from '../../../tunnel/signalling/documents.ts'
import type { Starter } from '../../../tunnel/signalling/offer-record.ts'
import type { Step } from '../stats/events.ts'
import type { Session } from './launch.ts'
import { launchIn, type SessionSource } from './session-source.ts'

/** A session that a single command uses, apart from those of `run`. */
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

export interface OwnSessionOptions {
  onWaiting?: ((region: string, limitMs: number) => void) | undefined
  /** The offer is written: from now on the function is billed, also where no session comes of it. */
  onOffered?: (region: string) => void
}

/** S3 may be what cannot be reached. Milliseconds. */
const endLimitMs = 2_000

/** Launches an exit in the first region; throws what launch() throws. Nothing is left of one that was called off. */
export async function startOwnSession(
  source: SessionSource,
  signal: AbortSignal,
  { onWaiting, onOffered }: OwnSessionOptions = {},
): Promise<OwnSession> {
  const [region, bucket] = [...source.buckets][0]!
  const id = newSessionId()
  const steps: OwnSession['steps'] = {}
  let startedBy: OwnSession['startedBy']
  const started = performance.now()
  const session = await launchIn(source, region, {
    id,
    signal,
    onStep(step, ms, _, start) {
      steps[step] = ms
      startedBy ??= start?.startedBy
      if (step === 'offer') onOffered?.(region)
    },
    onWaiting: limitMs => onWaiting?.(region, limitMs),
  })
  const end = async () => {
    session.bye('done')
    await Promise.race([bucket.remove(id).catch(() => {}), sleep(endLimitMs, undefined, { ref: false })])
  }
  // Aborted in its last moments, it has come up all the same.
  if (signal.aborted) {
    await end()
    throw signal.reason
  }
  return { session, region, steps, startedBy, setUpMs: performance.now() - started, end }
}
