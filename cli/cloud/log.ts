/** A line of a function process's log, or what the runner says of the process in Lambda's words. */
export interface LogRecord {
  /** RFC 3339. */
  timestamp: string
  level: string
  message: unknown
  region: string
  pid: number
  requestId?: string
  [field: string]: unknown
}

export type Origin = Pick<LogRecord, 'region' | 'pid' | 'requestId'>

/** A line of output as a record: the fields of a JSON object are kept, plain text becomes the message. */
export const parseLine = (line: string, level: string, origin: Origin): LogRecord => ({
  timestamp: new Date().toISOString(),
  level,
  message: undefined,
  ...(parseObject(line) ?? { message: line }),
  ...origin,
})

// --- internal ---

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
