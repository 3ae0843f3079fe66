const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000 }

/** Reads `90s`, `5m`, `1h` or plain seconds, and gives milliseconds; undefined for what is no duration, or none. */
export function readDuration(text: string): number | undefined {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)?$/.exec(text.trim()) ?? []
  const ms = Number(number) * units[unit]!
  return ms > 0 ? ms : undefined
}
