import { UsageError } from './usage-error.ts'

/** Reads a port from an option. Throws a UsageError that names the option. */
export function parsePort(option: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65535) return port
  throw new UsageError(`${option} ${text} is not a port: give a number from 0 to 65535, 0 for any free one`)
}
