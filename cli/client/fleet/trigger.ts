import { setTimeout as sleep } from 'node:timers/promises'
import { type ErrorData, errorData } from '../../../tunnel/net/coded-error.ts'
import type { SignalBucket } from '../../../tunnel/signalling/bucket.ts'
import type { Answer } from '../../../tunnel/signalling/documents.ts'

/** What starts the function: S3's event, a call of Lambda's Invoke, or the one and, when it takes its time, the other. */
export const triggerModes = ['auto', 's3', 'invoke'] as const
export type TriggerMode = (typeof triggerModes)[number]

/** How a region's function is started. */
export interface Trigger {
  mode: TriggerMode
  /** Has Lambda start the function for this session's offer. Absent where the function is not known. */
  invoke?: ((id: string) => Promise<void>) | undefined
  /** Gives up the connections that `invoke` goes by, which may lead nowhere by now. */
  reconnect?: (() => void) | undefined
  /**
   * When it was deployed, where that is known: for some minutes from then on events may not come. Milliseconds since
   * 1970.
   */
  deployedAt?: number | undefined
}

export interface AnswerOptions {
  id: string
  bucket: SignalBucket
  trigger: Trigger
  /** How long the function may take to answer. Milliseconds. */
  limitMs: number
  signal?: AbortSignal | undefined
  /** Writes the offer anew, as of now; the signal says that there is no need any more. */
  renew?: ((signal: AbortSignal) => Promise<void>) | undefined
  /** How often; 25,000 by default. Milliseconds. */
  renewAfterMs?: number
  /** Called once the wait is long enough for a person to want to know. */
  onWaiting?: (() => void) | undefined
  /** The function could not be invoked; S3's event is waited for all the same. */
  onNotInvoked?: ((error: ErrorData) => void) | undefined
}

/** S3's event is usually there within a second, and a cold start takes one to three. Milliseconds. */
const invokeAfterMs = 2_000
/** After this long without an answer, the wait is told. Milliseconds. */
const tellAfterMs = 6_000

/**
 * NATs forget a mapping that is silent for 30 s or more, and the function refuses an offer that is 60 s old.
 * Milliseconds.
 */
const usualRenewAfterMs = 25_000
/** With less than this left, another event would come too late. Milliseconds. */
const renewLeastMs = 10_000
/**
 * After a bucket's notification was created or changed, it may take this long until events flow (AWS's documentation).
 * Milliseconds.
 */
const settlingMs = 5 * 60_000

/** How long to wait for an answer at this time: longer while the deployment settles. Milliseconds. */
export const answerLimit = (usualMs: number, { deployedAt = 0 }: Trigger, now = Date.now()): number =>
  now < deployedAt + settlingMs ? Math.max(usualMs, deployedAt + settlingMs - now) : usualMs

/**
 * Waits for the answer to an offer that has been written, and starts the function as the trigger says. An offer that
 * starts it twice is answered once: the answer is written with If-None-Match. Throws what the bucket throws, and with
 * the trigger `invoke` what the invocation does.
 */
export async function awaitAnswer(options: AnswerOptions): Promise<Answer> {
  const { id, bucket, limitMs, signal } = options
  const over = new AbortController()
  const until = signal ? AbortSignal.any([signal, over.signal]) : over.signal
  const waiting = bucket.waitForAnswer(id, limitMs, until)
  const tell = setTimeout(() => options.onWaiting?.(), tellAfterMs)
  const renewing = keepFresh(options, until)
  try {
    return await Promise.race([waiting, failureOf(start(options, until))])
  } catch (error) {
    over.abort()
    // The offer is deleted next, and may not be written after that.
    await renewing
    throw error
  } finally {
    clearTimeout(tell)
    // The punch is due: what S3 has not taken yet is called off, and not waited for.
    over.abort()
  }
}

// --- internal ---

/** Throws where nothing but the invocation could have started the function. */
async function start({ id, trigger, onNotInvoked }: AnswerOptions, until: AbortSignal): Promise<void> {
  const { mode, invoke } = trigger
  if (mode === 's3' || !invoke) return
  if (mode === 'auto') await sleep(invokeAfterMs, undefined, { signal: until })
  for (let waitMs = invokeAfterMs; ; waitMs *= 2) {
    try {
      return await invoke(id)
    } catch (error) {
      if (mode === 'invoke') throw error
      const data = errorData(error)
      onNotInvoked?.(data)
      if (data.code !== 'E_AWS_THROTTLED') return
      // While S3's event is waited for there is time for another try.
      await sleep(waitMs, undefined, { signal: until })
    }
  }
}

/** Rewrites the offer now and then until the wait is over; a failure is left to the next time. */
async function keepFresh(
  { limitMs, renew, renewAfterMs = usualRenewAfterMs }: AnswerOptions,
  until: AbortSignal,
): Promise<void> {
  const latest = performance.now() + limitMs - renewLeastMs
  while (renew && performance.now() + renewAfterMs < latest) {
    await sleep(renewAfterMs, undefined, { signal: until }).catch(() => {})
    if (until.aborted) return
    await renew(until).catch(() => {})
  }
}

/** Rejects when the work fails, and never fulfils: that the function was started says nothing of its answer. */
const failureOf = (work: Promise<void>): Promise<never> =>
  new Promise((_, reject) => {
    work.catch(reject)
  })
