import { DataAwsIamPolicyDocument } from '@cdktf/provider-aws/lib/data-aws-iam-policy-document/index.js'
import { S3Bucket } from '@cdktf/provider-aws/lib/s3-bucket/index.js'
import { S3BucketLifecycleConfiguration } from '@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration/index.js'
import { S3BucketOwnershipControls } from '@cdktf/provider-aws/lib/s3-bucket-ownership-controls/index.js'
import { S3BucketPolicy } from '@cdktf/provider-aws/lib/s3-bucket-policy/index.js'
import { S3BucketPublicAccessBlock } from '@cdktf/provider-aws/lib/s3-bucket-public-access-block/index.js'
import { S3BucketServerSideEncryptionConfigurationA } from '@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration/index.js'
import { Construct } from 'constructs'
import { sessionsPrefix } from '../tunnel/signalling/keys.ts'
import { hcl, hclBool, hclMap, here, ofRegion } from './hcl.ts'
import { comment } from './hcl-blocks.ts'
import { perRegion } from './names.ts'

const HAS_KEY = 'contains(keys(var.kms_key_arn), each.key)'

/**
 * Where offers and answers meet: private to its owner, encrypted, reached by TLS alone, emptied after a day. S3 refuses
 * two changes of one bucket at a time (409 OperationAborted), so each of its parts waits for the one before.
 */
export class SignallingBucket extends Construct {
  readonly bucket: S3Bucket
  /** The last of its parts to be made. */
  readonly last: S3BucketPolicy

  constructor(scope: Construct, id: string) {
    super(scope, id)

    this.bucket = new S3Bucket(this, 'bucket', {
      ...perRegion,
      bucket: hcl('local.buckets[each.key]'),
      forceDestroy: true,
      tags: hclMap('local.tags'),
    })
    comment(this.bucket, 'What it holds is worthless after a minute: a destroy takes the objects along.')
    const ofBucket = { ...perRegion, bucket: here(this.bucket, 'id') }

    const publicAccess = new S3BucketPublicAccessBlock(this, 'public_access', {
      ...ofBucket,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    })
    comment(
      publicAccess,
      'S3 refuses two changes of one bucket at a time: each part waits for the one before.',
    )
    const ownership = new S3BucketOwnershipControls(this, 'ownership', {
      ...ofBucket,
      rule: { objectOwnership: 'BucketOwnerEnforced' },
      dependsOn: [publicAccess],
    })
    const encryption = new S3BucketServerSideEncryptionConfigurationA(this, 'encryption', {
      ...ofBucket,
      rule: [
        {
          applyServerSideEncryptionByDefault: {
            sseAlgorithm: hcl(`${HAS_KEY} ? "aws:kms" : "AES256"`),
            kmsMasterKeyId: hcl(ofRegion('kms_key_arn')),
          },
          // One call to KMS a day in place of one an object.
          bucketKeyEnabled: hclBool(HAS_KEY),
        },
      ],
      dependsOn: [ownership],
    })
    const lifecycle = new S3BucketLifecycleConfiguration(this, 'lifecycle', {
      ...ofBucket,
      rule: [
        {
          id: 'expire-sessions',
          status: 'Enabled',
          filter: [{ prefix: sessionsPrefix }],
          expiration: [{ days: 1 }],
        },
        {
          id: 'abort-uploads',
          status: 'Enabled',
          filter: [{ prefix: '' }],
          abortIncompleteMultipartUpload: [{ daysAfterInitiation: 1 }],
        },
      ],
      dependsOn: [encryption],
    })

    new DataAwsIamPolicyDocument(this, 'tls_only', {
      forEach: perRegion.forEach,
      statement: [
        {
          sid: 'RefusePlainHttp',
          effect: 'Deny',
          principals: [{ type: '*', identifiers: ['*'] }],
          actions: ['s3:*'],
          resources: [hcl('local.bucket_arns[each.key]'), `${hcl('local.bucket_arns[each.key]')}/*`],
          condition: [{ test: 'Bool', variable: 'aws:SecureTransport', values: ['false'] }],
        },
      ],
    })
    this.last = new S3BucketPolicy(this, 'policy', {
      ...ofBucket,
      policy: hcl('data.aws_iam_policy_document.tls_only[each.key].json'),
      dependsOn: [lifecycle],
    })
  }
}
