const units: Record<string, number> = { kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }

/** Reads `500kB`, `10MB`, `5GB` or `1.5TB` (powers of 1000), and gives bytes; undefined for anything else. */
export function readSize(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?(kB|KB|MB|GB|TB)$/.exec(text.trim()) ?? []
  const bytes = Math.round(Number(number) * units[unit === 'KB' ? 'kB' : unit]!)
  return bytes > 0 ? bytes : undefined
}
