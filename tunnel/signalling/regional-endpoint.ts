/**
 * Where a region's S3 is: each partition of AWS has domains of its own (China's end in .com.cn). Throws for what is no
 * name of a region. (Apart from `customS3Endpoint`, which the function needs, too: this takes all of the SDK's S3 along.)
 */
export async function regionalS3Endpoint(region: string): Promise<string> {
  const { S3Client } = await import('@aws-sdk/client-s3')
  const client = new S3Client({ region })
  try {
    return client.config.endpointProvider({ Region: region }).url.origin
  } finally {
    client.destroy()
  }
}
