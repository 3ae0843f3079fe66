/** The endpoint in place of S3's own that the environment names, as AWS's SDK reads it: an empty variable names none. */
export const customS3Endpoint = (env: NodeJS.ProcessEnv = process.env): string | undefined =>
  env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined

/**
 * Where a region's S3 is: each partition of AWS has domains of its own (China's end in .com.cn). Throws for what is no
 * name of a region.
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
