import { UsageError } from './usage-error.ts'

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000 }

/** Reads `90s`, `5m`, `1h` or plain seconds, and gives milliseconds. Throws a UsageError that names the option. */
export function parseDuration(option: string, text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)?$/.exec(text.trim()) ?? []
  const ms = Number(number) * units[unit]!
  if (ms > 0) return ms
  throw new UsageError(`${option} ${text} is not a duration: give for example 90s, 5m or 1h`)
}

/** Reads a whole number between the limits. Throws a UsageError that names the option. */
export function parseCount(option: string, text: string, least: number, most: number): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (count >= least && count <= most) return count
  throw new UsageError(`${option} ${text} is not a number from ${least} to ${most}`)
}
