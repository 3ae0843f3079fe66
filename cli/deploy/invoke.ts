import type { LambdaClient } from '@aws-sdk/client-lambda'
import { offerEvent } from '../../tunnel/signalling/offer-record.ts'
import type { Trigger } from '../client/fleet/trigger.ts'
import { ask, clientOptions } from './aws.ts'

/** Where an offer is, and who answers it. */
export interface Answering {
  region: string
  bucket: string
  functionName: string
}

/**
 * `invoke` has Lambda start the function for an offer, with the record that S3 would send. Lambda queues it and says so
 * at once; what comes of it is in the answer. Throws an AwsError, after the SDK's own tries where AWS is throttling.
 */
export function invoker({
  region,
  bucket,
  functionName,
}: Answering): Required<Pick<Trigger, 'invoke' | 'reconnect'>> {
  let client: LambdaClient | undefined
  const place = { service: 'Lambda', resource: `the function ${functionName} in ${region}` }
  return {
    invoke: id =>
      ask('invoke the function', place, async () => {
        // Where S3's event is in time there is nothing to load.
        const { InvokeCommand, LambdaClient } = await import('@aws-sdk/client-lambda')
        client ??= new LambdaClient(clientOptions(region))
        const Payload = Buffer.from(JSON.stringify(offerEvent({ region, bucket, id })))
        await client.send(new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload }))
      }),
    reconnect: () => client?.config.requestHandler.destroy?.(),
  }
}
