/** One record of an S3 event notification (version 2.1), every field as S3 writes it, for an object that was put. */
export function s3Record(region: string, bucket: string, key: string, eventTime = new Date()): object {
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: region,
    eventTime: eventTime.toISOString(),
    eventName: 'ObjectCreated:Put',
    userIdentity: { principalId: 'AWS:AIDAEXAMPLE' },
    requestParameters: { sourceIPAddress: '192.0.2.1' },
    responseElements: { 'x-amz-request-id': '0123456789ABCDEF', 'x-amz-id-2': 'Z9yZ' },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: 'offers',
      bucket: {
        name: bucket,
        ownerIdentity: { principalId: 'A1EXAMPLE' },
        arn: `arn:aws:s3:::${bucket}`,
      },
      object: {
        // As a form would encode it, slashes left as they are.
        key: encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+'),
        size: 900,
        eTag: 'd41d8cd98f00b204e9800998ecf8427e',
        sequencer: '0055AED6DCD90281E5',
      },
    },
  }
}

export const s3Event = (...records: object[]) => ({ Records: records })
