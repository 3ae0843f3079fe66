import { CodedError, type ErrorData, errorData } from '../tunnel/net/coded-error.ts'
import { openBucket, type SignalBucket } from '../tunnel/signalling/bucket.ts'
import { offerLifetimeMs, type Refusal, signalVersion } from '../tunnel/signalling/documents.ts'
import { SignalError } from '../tunnel/signalling/errors.ts'
import { sessionIdOfOfferKey } from '../tunnel/signalling/keys.ts'
import { starterOf } from '../tunnel/signalling/offer-record.ts'
import { blamesOffer, RefusalError } from '../tunnel/signalling/refusal.ts'
import { type Invocation, runExit } from './exit.ts'
import { createLog, type Log } from './log.ts'
import { asRefusal } from './refuse.ts'
import { peakMemoryMb } from './runtime.ts'
import { readSettings } from './settings.ts'

/** What this handler reads of an S3 event record; everything may be missing in an event of another kind. */
interface EventRecord {
  eventName?: string
  eventSource?: string
  eventTime?: string
  s3?: { bucket?: { name?: string }; object?: { key?: string } }
}

interface LambdaContext {
  awsRequestId: string
  memoryLimitInMB: string | number
  getRemainingTimeInMillis(): number
}

let cold = true

/** A session ended badly: thrown at the end, so that Lambda counts the invocation among its errors. */
export class HandlerError extends CodedError {
  override name = 'HandlerError'
}

/**
 * Lambda's entry: one session for each new offer in the event; everything else is passed over. Throws a HandlerError
 * when a session ended badly, once all have ended.
 */
export async function handler(event: unknown, context: LambdaContext): Promise<void> {
  const log = createLog(process.env.AWS_LAMBDA_LOG_LEVEL, { requestId: context.awsRequestId })
  const invocation: Invocation = {
    requestId: context.awsRequestId,
    memoryMb: Number(context.memoryLimitInMB),
    startedAt: Date.now(),
    cold,
    remainingMs: () => context.getRemainingTimeInMillis(),
  }
  cold = false
  const records = recordsOf(event)
  if (records.length === 0) log.info('not an S3 event with records: nothing to do')
  const failures = await Promise.all(records.map(record => answerRecord(record, invocation, log)))
  const [first, ...others] = failures.filter(failure => failure !== undefined)
  if (!first) return
  const more = others.length > 0 ? `, and ${others.length} more` : ''
  throw new HandlerError(first.code, `a session failed: ${first.message}${more}`)
}

// --- internal ---

function recordsOf(event: unknown): EventRecord[] {
  const records = (event as { Records?: unknown } | null | undefined)?.Records
  return Array.isArray(records) ? records.filter(record => typeof record === 'object' && record !== null) : []
}

/** Gives what went badly, when something did that is not the client's doing. */
async function answerRecord(
  record: EventRecord,
  invocation: Invocation,
  common: Log,
): Promise<ErrorData | undefined> {
  const name = record.s3?.bucket?.name
  const key = decodeKey(record.s3?.object?.key)
  const id = key === undefined ? undefined : sessionIdOfOfferKey(key)
  if (!name || !id) {
    common.info('not an offer: passed over', { event: record.eventName })
    return undefined
  }
  const log = common.with({ session: id })
  const bucket = openBucket({ bucket: name })
  let isAnswered = false
  const answering: SignalBucket = {
    ...bucket,
    async putAnswer(answer) {
      const isFirst = await bucket.putAnswer(answer)
      isAnswered = true
      return isFirst
    },
  }
  try {
    const offer = await bucket.getOffer(id)
    checkAge(offer.timestamp, record.eventTime, invocation.startedAt)
    const settings = readSettings(process.env)
    const eventAgeMs = ageOf(record.eventTime, invocation.startedAt)
    await runExit({
      offer,
      bucket: answering,
      settings,
      invocation,
      startedBy: starterOf(record),
      eventAgeMs,
      log,
    })
    return undefined
  } catch (error) {
    if (error instanceof SignalError && error.code === 'E_OFFER_GONE') {
      log.info('no offer: the event is late or a duplicate, or this role may not read it')
      return undefined
    }
    const { code, message } = errorData(error)
    const refusal = asRefusal(error)
    const isOffer = !isAnswered && blamesOffer(refusal.code)
    if (isOffer) log.warn('offer refused', { code: refusal.code, reason: message })
    else log.error('session failed', { code, error: message, peakMb: peakMemoryMb() })
    // The client waits for an answer: it is told why there is none.
    if (!isAnswered) await bucket.putAnswer(refusalOf(id, refusal)).catch(() => false)
    return isOffer ? undefined : { code, message }
  } finally {
    bucket.close()
  }
}

const refusalOf = (id: string, { code, message }: RefusalError): Refusal => ({
  version: signalVersion,
  session_id: id,
  code,
  refused: message,
})

/** S3 writes keys into events as a form would: percent-encoded, with + for a space. */
function decodeKey(key: string | undefined): string | undefined {
  try {
    return key === undefined ? undefined : decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

/** Milliseconds from S3's time of the event; undefined where that is not told. */
function ageOf(eventTime: string | undefined, now: number): number | undefined {
  const writtenAt = Date.parse(eventTime ?? '')
  return Number.isNaN(writtenAt) ? undefined : now - writtenAt
}

/**
 * Throws when an offer comes too late. A client that waits writes its offer anew, so that it is younger than a late
 * event. S3's own time tells a late event from a wrong clock.
 */
function checkAge(offeredAt: number, eventTime: string | undefined, now: number): void {
  const seconds = (ms: number) => `${Math.round(Math.abs(ms) / 1000)} s`
  const writtenAt = eventTime === undefined ? Number.NaN : Date.parse(eventTime)
  const age = now - offeredAt
  if (Math.abs(age) <= offerLifetimeMs) return
  const skew = offeredAt - writtenAt
  if (Math.abs(skew) > offerLifetimeMs)
    throw new RefusalError(
      'E_OFFER_CLOCK',
      `the client's clock is ${seconds(skew)} ${skew < 0 ? 'behind' : 'ahead'}, or the offer is an old one`,
    )
  if (age > 0)
    throw new RefusalError(
      'E_OFFER_EXPIRED',
      `the offer is ${seconds(age)} old, and ${seconds(offerLifetimeMs)} is the limit`,
    )
  throw new RefusalError(
    'E_OFFER_CLOCK',
    `the offer is ${seconds(age)} in the future: the clocks of client and function differ`,
  )
}
