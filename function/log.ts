const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const
export type Level = (typeof levels)[number]

/** Writes JSON log lines, each with the session's id, so that they can be joined with the client's. */
export interface Log {
  debug(message: string, fields?: object): void
  info(message: string, fields?: object): void
  warn(message: string, fields?: object): void
  error(message: string, fields?: object): void
  /** A log whose every line has these fields too. */
  with(fields: object): Log
}

/** Logs from `level` up (Lambda's AWS_LAMBDA_LOG_LEVEL; INFO when it is none of its levels). Targets appear at DEBUG only. */
export function createLog(level: string | undefined, common: object = {}): Log {
  const threshold =
    Math.max(0, levels.indexOf((level?.toUpperCase() ?? 'INFO') as Level)) ||
    (level?.toUpperCase() === 'TRACE' ? 0 : 2)
  const write = (at: Level, message: string, fields?: object) => {
    if (levels.indexOf(at) < threshold) return
    process.stdout.write(
      `${JSON.stringify({ timestamp: new Date().toISOString(), level: at, message, ...common, ...fields })}\n`,
    )
  }
  return {
    debug: (message, fields) => write('DEBUG', message, fields),
    info: (message, fields) => write('INFO', message, fields),
    warn: (message, fields) => write('WARN', message, fields),
    error: (message, fields) => write('ERROR', message, fields),
    with: fields => createLog(level, { ...common, ...fields }),
  }
}
