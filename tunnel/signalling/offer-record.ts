import { offerKey } from './keys.ts'

/** What started the function: S3's event, or the client's own call of Lambda's Invoke. */
export const starters = ['s3', 'invoke'] as const
export type Starter = (typeof starters)[number]

/** An event as Lambda gets it from S3, as far as the function reads it. */
export interface OfferEvent {
  Records: {
    eventVersion: string
    eventSource: string
    eventName: string
    awsRegion: string
    s3: { bucket: { name: string }; object: { key: string } }
  }[]
}

/** S3 writes `aws:s3` here. */
const clientSource = 'lambda-nat-proxy:client'

/** What S3's event says of an offer, by the client itself. It has no time: only S3's own clock tells how old it is. */
export const offerEvent = (offer: { region: string; bucket: string; id: string }): OfferEvent => ({
  Records: [
    {
      eventVersion: '2.1',
      eventSource: clientSource,
      eventName: 'ObjectCreated:Put',
      awsRegion: offer.region,
      s3: { bucket: { name: offer.bucket }, object: { key: offerKey(offer.id) } },
    },
  ],
})

/** Who sent a record. */
export const starterOf = (record: { eventSource?: unknown }): Starter =>
  record.eventSource === clientSource ? 'invoke' : 's3'
