import { formatDuration } from '../client/stats/format.ts'

/** That the function has not answered yet, and why that need be no fault. */
export const waitingLine = (region: string, limitMs: number): string =>
  `Waiting for the function in ${region}, ${formatDuration(limitMs)} at most: the event of S3 can take a minute, and five after a deploy`
