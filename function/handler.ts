import { openBucket } from '../tunnel/signalling/bucket.ts'
import {
  DocumentError,
  offerLifetimeMs,
  sessionIdOfOfferKey,
  signalVersion,
} from '../tunnel/signalling/documents.ts'
import { type Invocation, runExit } from './exit.ts'
import { createLog, type Log } from './log.ts'
import { readSettings } from './settings.ts'

/** What this handler reads of an S3 event record; everything may be missing in an event of another kind. */
interface EventRecord {
  eventName?: string
  eventTime?: string
  s3?: { bucket?: { name?: string }; object?: { key?: string } }
}

interface LambdaContext {
  awsRequestId: string
  memoryLimitInMB: string | number
  getRemainingTimeInMillis(): number
}

let cold = true

/** Lambda's entry: one session for each new offer in the event; everything else is passed over. */
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
  await Promise.all(records.map(record => answerRecord(record, invocation, log)))
}

// --- internal ---

function recordsOf(event: unknown): EventRecord[] {
  const records = (event as { Records?: unknown } | null | undefined)?.Records
  return Array.isArray(records) ? records.filter(record => typeof record === 'object' && record !== null) : []
}

async function answerRecord(record: EventRecord, invocation: Invocation, common: Log): Promise<void> {
  const name = record.s3?.bucket?.name
  const key = decodeKey(record.s3?.object?.key)
  const id = key === undefined ? undefined : sessionIdOfOfferKey(key)
  if (!name || !id) return common.info('not an offer: passed over', { event: record.eventName })
  const log = common.with({ session: id })
  const bucket = openBucket({ bucket: name })
  try {
    const offer = await bucket.getOffer(id)
    const refusal = whyRefused(offer.timestamp, record.eventTime, invocation.startedAt)
    if (refusal) {
      log.warn('offer refused', { reason: refusal })
      await bucket.putAnswer({ version: signalVersion, session_id: id, refused: refusal })
      return
    }
    await runExit({ offer, bucket, settings: readSettings(process.env), invocation, log })
  } catch (error) {
    // Nothing is thrown on: a retry by Lambda could only fail again, later and at a price.
    log.error('session failed', {
      error: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    })
    const refused = error instanceof DocumentError || error instanceof RangeError ? error.message : undefined
    if (refused)
      await bucket.putAnswer({ version: signalVersion, session_id: id, refused }).catch(() => false)
  } finally {
    bucket.close()
  }
}

/** S3 writes keys into events as a form would: percent-encoded, with + for a space. */
function decodeKey(key: string | undefined): string | undefined {
  try {
    return key === undefined ? undefined : decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

/** Why an offer comes too late, or undefined when it does not. S3's own time tells a late event from a wrong clock. */
function whyRefused(offeredAt: number, eventTime: string | undefined, now: number): string | undefined {
  const seconds = (ms: number) => `${Math.round(Math.abs(ms) / 1000)} s`
  const writtenAt = eventTime === undefined ? Number.NaN : Date.parse(eventTime)
  const skew = offeredAt - writtenAt
  if (Math.abs(skew) > offerLifetimeMs)
    return `the client's clock is ${seconds(skew)} ${skew < 0 ? 'behind' : 'ahead'}, or the offer is an old one: set the clock, for example with NTP`
  const age = now - offeredAt
  if (age > offerLifetimeMs)
    return `the offer is ${seconds(age)} old, and ${seconds(offerLifetimeMs)} is the limit`
  if (age < -offerLifetimeMs)
    return `the offer is ${seconds(age)} in the future: the clocks of client and function differ`
  return undefined
}
