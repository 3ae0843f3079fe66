const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000 }

/** Reads `90s`, `5m` or `1h`, and gives milliseconds; undefined for anything else, and for zero. */
export function readDuration(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)$/.exec(text.trim()) ?? []
  const ms = Number(number) * units[unit]!
  return ms > 0 ? ms : undefined
}

/** What is wrong with a text that is not a duration. */
export const wrongDuration = (text: string): string =>
  /^[\d.]+$/.test(text.trim())
    ? `has no unit: give ${text.trim()}s for seconds or ${text.trim()}m for minutes`
    : 'is not a duration: give for example 90s, 5m or 1h'
