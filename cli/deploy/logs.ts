import { askIfThere, clientOptions } from './aws.ts'

export interface LogLine {
  time: string
  message: string
}

/** The newest lines are in the last of these spans that has any; CloudWatch reads forwards only. */
const spansMs = [15 * 60_000, 3 * 3_600_000, 24 * 3_600_000]
const maxLines = 100

/** The newest lines, 100 at most, that the function logged in the last day, the oldest first. */
export async function recentLogs(region: string, functionName: string): Promise<LogLine[]> {
  const { CloudWatchLogsClient, paginateFilterLogEvents } = await import('@aws-sdk/client-cloudwatch-logs')
  const client = new CloudWatchLogsClient(clientOptions(region))
  const place = { service: 'CloudWatch Logs', resource: `the log of ${functionName} in ${region}` }
  const read = async (startTime: number) => {
    let lines: LogLine[] = []
    const query = { logGroupName: `/aws/lambda/${functionName}`, startTime }
    for await (const { events = [] } of paginateFilterLogEvents({ client }, query))
      lines = [...lines, ...events.map(toLine)].slice(-maxLines)
    return lines
  }
  try {
    for (const span of spansMs) {
      const lines = await askIfThere('read the log', place, () => read(Date.now() - span))
      if (lines?.length) return lines
    }
    return []
  } finally {
    client.destroy()
  }
}

// --- internal ---

const toLine = ({ timestamp = 0, message = '' }): LogLine => ({
  time: new Date(timestamp).toISOString(),
  message: message.trimEnd(),
})
