import { setTimeout as sleep } from 'node:timers/promises'
import { DeleteObjectsCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { printable } from '../net/printable.ts'
import {
  type Answer,
  DocumentError,
  documentLimit,
  type Offer,
  parseAnswer,
  parseOffer,
  type Refusal,
  tooLarge,
} from './documents.ts'
import { explain, SignalError } from './errors.ts'
import { answerKey, offerKey, sessionsPrefix } from './keys.ts'
import { type RefusalCode, refusalHint } from './refusal.ts'
import { customS3Endpoint } from './s3-endpoint.ts'

export interface BucketOptions {
  bucket: string
  /** The number of the AWS account that it belongs to, where that is known: nobody else's bucket is used. */
  owner?: string | undefined
  /** AWS region; the SDK's own chain (AWS_REGION, profile) otherwise. */
  region?: string | undefined
  /** Credentials in place of the default chain; the embedded cloud has its own. */
  credentials?: { accessKeyId: string; secretAccessKey: string }
  /** Endpoint in place of AWS's; AWS_ENDPOINT_URL is honoured when it is not given. */
  endpoint?: string
}

/** The signalling bucket: where offer and answer are exchanged. Everything it throws is a SignalError or a DocumentError. */
export interface SignalBucket {
  readonly name: string
  putOffer(offer: Offer, signal?: AbortSignal): Promise<void>
  /** Throws E_OFFER_GONE when it was deleted, which looks the same as a role that may not read it. */
  getOffer(id: string): Promise<Offer>
  /** Writes the answer if there is none yet; false when another invocation was first. */
  putAnswer(answer: Answer | Refusal): Promise<boolean>
  /** Polls for the answer, fast at first; throws E_ANSWER_TIMEOUT at the limit (milliseconds), and the function's own code when it refuses. */
  waitForAnswer(id: string, limitMs: number, signal?: AbortSignal): Promise<Answer>
  /** Deletes offer and answer. */
  remove(id: string): Promise<void>
  /** Gives up the connections to S3, which may lead nowhere by now: what is under way is tried again on new ones. */
  reconnect(): void
  close(): void
}

/** The first look comes this soon after the offer; a warm function answers in some 100 ms. */
const firstPollMs = 40
const slowestPollMs = 500
const pollGrowth = 1.25

export function openBucket({ bucket, owner, region, credentials, endpoint }: BucketOptions): SignalBucket {
  const custom = endpoint ?? customS3Endpoint()
  const client = new S3Client({
    ...(region && { region }),
    ...(credentials && { credentials }),
    ...(endpoint && { endpoint }),
    // Servers other than AWS rarely have a host name per bucket.
    ...(custom && { forcePathStyle: true }),
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 8_000, throwOnRequestTimeout: true },
    // Offers and answers are small and signed; a second checksum only costs time.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })

  const attempt = async <T>(doing: string, action: () => Promise<T>): Promise<T> => {
    try {
      return await action()
    } catch (error) {
      // An abort is the caller's own doing and stays recognisable.
      const known = error instanceof DocumentError || (error instanceof Error && error.name === 'AbortError')
      if (known) throw error
      const explained = explain(error, doing, bucket)
      throw explained.code === 'E_BUCKET_ACCESS_DENIED' && (await isForeign())
        ? foreignBucket(doing)
        : explained
    }
  }

  const whose = owner !== undefined && { ExpectedBucketOwner: owner }

  /** S3 says no more than "access denied" of another's bucket. One that answers without the condition is another's. */
  const isForeign = async (): Promise<boolean> => {
    if (owner === undefined) return false
    try {
      await client.send(new GetObjectCommand({ Bucket: bucket, Key: ownerProbeKey }))
      return true
    } catch (error) {
      return error instanceof Error && gone.includes(error.name)
    }
  }

  const foreignBucket = (doing: string) =>
    new SignalError(
      'E_BUCKET_FOREIGN',
      `could not ${doing}: the bucket ${bucket} does not belong to the AWS account ${owner}`,
      { hint: 'Somebody else has a bucket of that name: do not use it. Deploy under another name.' },
    )

  const put = (
    key: string,
    document: object,
    { abortSignal, ...condition }: { abortSignal?: AbortSignal | undefined; IfNoneMatch?: '*' },
  ) =>
    client.send(
      new PutObjectCommand({
        Bucket: bucket,
        ...whose,
        Key: key,
        Body: JSON.stringify(document),
        ContentType: 'application/json',
        ...condition,
      }),
      abortSignal && { abortSignal },
    )

  const get = async (key: string, abortSignal?: AbortSignal): Promise<string> => {
    const { Body, ContentLength } = await client.send(
      new GetObjectCommand({ Bucket: bucket, ...whose, Key: key }),
      abortSignal && { abortSignal },
    )
    if ((ContentLength ?? 0) > documentLimit) throw tooLarge(key)
    return (await Body?.transformToString()) ?? ''
  }

  return {
    name: bucket,
    putOffer: (offer, abortSignal) =>
      attempt('write the offer', async () => {
        await put(offerKey(offer.session_id), offer, { abortSignal })
      }),
    getOffer: id =>
      attempt('read the offer', async () => {
        const text = await getIfThere(() => get(offerKey(id)), maybeGone)
        if (text === undefined) throw offerGone()
        const offer = parseOffer(text)
        if (offer.session_id !== id) throw foreign('offer', id)
        return offer
      }),
    putAnswer: answer =>
      attempt('write the answer', async () => {
        try {
          await put(answerKey(answer.session_id), answer, { IfNoneMatch: '*' })
          return true
        } catch (error) {
          // 412: there is one. 409: another conditional write is under way, and one of the two wins.
          if (
            error instanceof Error &&
            ['PreconditionFailed', 'ConditionalRequestConflict'].includes(error.name)
          )
            return false
          throw error
        }
      }),
    waitForAnswer: (id, limitMs, signal) =>
      attempt('read the answer', async () => {
        const deadline = performance.now() + limitMs
        for (let wait = firstPollMs; ; wait = Math.min(wait * pollGrowth, slowestPollMs)) {
          await pause(wait, signal)
          const text = await getIfThere(() => get(answerKey(id), signal), gone)
          if (text !== undefined) return accept(parseAnswer(text), id)
          if (performance.now() + wait > deadline) throw noAnswer(limitMs)
        }
      }),
    remove: id =>
      attempt('delete the offer and answer', async () => {
        const Objects = [{ Key: offerKey(id) }, { Key: answerKey(id) }]
        await client.send(
          new DeleteObjectsCommand({ Bucket: bucket, ...whose, Delete: { Objects, Quiet: true } }),
        )
      }),
    // The client goes on to be usable; its connections do not.
    reconnect: () => client.config.requestHandler.destroy?.(),
    close: () => client.destroy(),
  }
}

// --- internal ---

/** A key that nobody writes. */
const ownerProbeKey = `${sessionsPrefix}owner`

/** What S3 calls a key that is not there. */
const gone = ['NoSuchKey']
/** The same, and what it says of one that is not there to who may not list the bucket. */
const maybeGone = [...gone, 'AccessDenied']

async function getIfThere(
  get: () => Promise<string>,
  absent: readonly string[],
): Promise<string | undefined> {
  try {
    return await get()
  } catch (error) {
    if (error instanceof Error && absent.includes(error.name)) return undefined
    throw error
  }
}

function accept(answer: Answer | Refusal, id: string): Answer {
  if (answer.session_id !== id) throw foreign('answer', id)
  if (!('refused' in answer)) return answer
  const { code, refused } = answer
  const hint = refusalHint(code)
  throw new SignalError(
    hint === undefined ? 'E_OFFER_REFUSED' : (code as RefusalCode),
    `the function refused the offer: ${printable(refused)}`,
    { hint },
  )
}

const foreign = (what: string, id: string) =>
  new DocumentError('E_DOCUMENT_FOREIGN', `the ${what}'s session_id is not ${id}, as its key says`)

const offerGone = () =>
  new SignalError('E_OFFER_GONE', 'there is no such offer any more, or this role may not read it')

const noAnswer = (limitMs: number) =>
  new SignalError('E_ANSWER_TIMEOUT', `the function did not answer within ${limitMs / 1000} s`, {
    hint: 'It may have failed to start: look at its log, and check that the bucket notifies it of new offers.',
  })

const pause = (ms: number, signal?: AbortSignal) =>
  sleep(ms, undefined, { signal }).catch(() => signal?.throwIfAborted())
