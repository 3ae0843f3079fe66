// How figures are written, on the page and in the terminal.

const units = ['B', 'kB', 'MB', 'GB', 'TB']

/** Bytes in decimal units, with three digits: 12.3 MB. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? Math.round(value) : digits(value)} ${units[unit]}`
}

/** Bytes a second as bits a second, as lines are sold. */
export function formatRate(bytesPerSecond: number): string {
  const bits = bytesPerSecond * 8
  if (bits >= 999.5e6) return `${digits(bits / 1e9)} Gbit/s`
  if (bits >= 999.5e3) return `${digits(bits / 1e6)} Mbit/s`
  return `${bits < 999.5 && bits > 0 ? digits(bits / 1e3) : Math.round(bits / 1e3)} kbit/s`
}

/** Milliseconds, or seconds, minutes and hours where that is more. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0 ms'
  if (ms < 999.5) return `${ms < 9.95 ? ms.toFixed(1) : Math.round(ms)} ms`
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return both(`${minutes} min`, seconds % 60, 's')
  return both(`${Math.floor(minutes / 60)} h`, minutes % 60, 'min')
}

/** Dollars with as many places as it takes to see something. */
export function formatDollars(dollars: number): string {
  if (dollars >= 1) return `$${dollars.toFixed(2)}`
  if (dollars >= 0.001) return `$${dollars.toFixed(4)}`
  if (dollars >= 0.000_001) return `$${dollars.toFixed(6)}`
  return dollars === 0 ? '$0' : 'under $0.000001'
}

/** What exits on this machine cost, and would cost in AWS. */
export const formatLocalCost = (dollars: number): string => `$0 here (on AWS about ${formatDollars(dollars)})`

/** A share as a percentage. */
export const formatShare = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`

/** A number of things, its thousands set apart by narrow spaces: 12 345 (ISO 80000-1, 7.3.1). */
export const formatCount = (count: number): string =>
  String(Math.round(count)).replace(/(?<=\d)(?=(\d{3})+$)/g, '\u202f')

// --- internal ---

const both = (whole: string, rest: number, unit: string) => (rest === 0 ? whole : `${whole} ${rest} ${unit}`)

const digits = (value: number) => value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)
