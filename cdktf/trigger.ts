import { LambdaPermission } from '@cdktf/provider-aws/lib/lambda-permission/index.js'
import { S3BucketNotification } from '@cdktf/provider-aws/lib/s3-bucket-notification/index.js'
import { Construct } from 'constructs'
import { offerSuffix, sessionsPrefix } from '../tunnel/signalling/keys.ts'
import type { SignallingBucket } from './bucket.ts'
import type { ExitFunction } from './function.ts'
import { hcl, here } from './hcl.ts'
import { comment } from './hcl-blocks.ts'
import { ACCOUNT, perRegion } from './names.ts'

/** An offer written to the bucket starts the function of the same region. */
export class OfferTrigger extends Construct {
  constructor(scope: Construct, id: string, { bucket, last }: SignallingBucket, { lambda }: ExitFunction) {
    super(scope, id)

    const permission = new LambdaPermission(this, 'permission', {
      ...perRegion,
      statementId: 'offers',
      action: 'lambda:InvokeFunction',
      functionName: here(lambda, 'function_name'),
      principal: 's3.amazonaws.com',
      sourceArn: here(bucket, 'arn'),
      sourceAccount: hcl(ACCOUNT),
    })
    comment(
      permission,
      "A bucket's ARN carries no account: without source_account, who takes over a freed name",
      'could start the function.',
    )
    const notification = new S3BucketNotification(this, 'notification', {
      ...perRegion,
      bucket: here(bucket, 'id'),
      lambdaFunction: [
        {
          id: 'offers',
          lambdaFunctionArn: here(lambda, 'arn'),
          events: ['s3:ObjectCreated:Put'],
          filterPrefix: sessionsPrefix,
          filterSuffix: offerSuffix,
        },
      ],
      dependsOn: [permission, last],
    })
    comment(notification, 'S3 tries the permission when the notification is made.')
  }
}
