/** The endpoint in place of S3's own that the environment names, as AWS's SDK reads it: an empty variable names none. */
export const customS3Endpoint = (env: NodeJS.ProcessEnv = process.env): string | undefined =>
  env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined
