import { isOfferKey, sessionIdOfOfferKey } from '../../tunnel/signalling/keys.ts'

/** An S3 event notification, as Lambda gets it: what is read of it here. */
export interface S3Event {
  Records: S3EventRecord[]
}

export interface S3EventRecord {
  eventName: string
  awsRegion: string
  s3: {
    bucket: { name: string; arn: string }
    object: { key: string }
  }
}

/**
 * s3rver's event in the form that Lambda gets: the bucket's region, a well-formed ARN, and the key encoded
 * as in a form (RFC 1866: a space is a plus), slashes left as they are.
 */
export const asDelivered = (event: S3Event, region: string): S3Event => ({
  Records: event.Records.map(record => ({
    ...record,
    awsRegion: region,
    s3: {
      ...record.s3,
      bucket: { ...record.s3.bucket, arn: `arn:aws:s3:::${record.s3.bucket.name}` },
      object: { ...record.s3.object, key: encodeKey(record.s3.object.key) },
    },
  })),
})

/** The filter of the deployed notification: an offer was written. */
export const startsFunction = ({ eventName, s3 }: S3EventRecord): boolean =>
  eventName.startsWith('ObjectCreated:') && isOfferKey(s3.object.key)

/** The session's id in an event that was delivered, when its first record's key has one. */
export const sessionOf = (event: unknown): string | undefined => {
  const key = (event as Partial<S3Event> | null)?.Records?.[0]?.s3?.object?.key
  return typeof key === 'string' ? sessionIdOfOfferKey(key) : undefined
}

// --- internal ---

const encodeKey = (key: string) =>
  new URLSearchParams({ key }).toString().slice('key='.length).replaceAll('%2F', '/')
