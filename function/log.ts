import { printable } from '../tunnel/net/printable.ts'

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

/** Characters of a text; what is longer is cut off. */
const maxText = 1_000
/** Entries of a list or an object, and lists within lists. */
const maxEntries = 32
const maxDepth = 4
/** A line that is longer tells its message alone. Characters. */
const maxLine = 8_192

/**
 * Logs from `level` up (Lambda's AWS_LAMBDA_LOG_LEVEL; INFO when it is none of its levels). Whoever may read the log
 * sees no client's or target's address at INFO. Text of somebody else's acts on no terminal, and a line has an end.
 */
export function createLog(level: string | undefined, common: object = {}): Log {
  const named = levels.indexOf((level?.toUpperCase() ?? 'INFO') as Level)
  const threshold = named === -1 ? levels.indexOf('INFO') : named
  const write = (at: Level, message: string, fields?: object) => {
    if (levels.indexOf(at) < threshold) return
    const head = { timestamp: new Date().toISOString(), level: at, message: printable(message, maxText) }
    const line = JSON.stringify({ ...head, ...clean({ ...common, ...fields }) })
    process.stdout.write(`${line.length > maxLine ? JSON.stringify({ ...head, cut: line.length }) : line}\n`)
  }
  return {
    debug: (message, fields) => write('DEBUG', message, fields),
    info: (message, fields) => write('INFO', message, fields),
    warn: (message, fields) => write('WARN', message, fields),
    error: (message, fields) => write('ERROR', message, fields),
    with: fields => createLog(level, { ...common, ...fields }),
  }
}

// --- internal ---

/** What JSON can hold, and a reader's terminal bear. */
function clean(fields: object, depth = 1): object {
  const value = (each: unknown): unknown => {
    if (typeof each === 'string') return printable(each, maxText)
    if (typeof each === 'bigint' || typeof each === 'symbol' || typeof each === 'function')
      return String(each)
    if (typeof each !== 'object' || each === null) return each
    return depth < maxDepth ? clean(each, depth + 1) : '…'
  }
  if (Array.isArray(fields)) return fields.slice(0, maxEntries).map(value)
  const entries = Object.entries(fields).slice(0, maxEntries)
  return Object.fromEntries(entries.map(([key, each]) => [printable(key, maxText), value(each)]))
}
