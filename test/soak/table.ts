import type { Report, Row } from './soak.ts'

const columns: [head: string, cell: (row: Row) => string | number][] = [
  ['minute', row => row.minute],
  ['requests', row => row.requests],
  ['failed', row => row.failed],
  ['downloads', row => row.downloads],
  ['cut', row => row.cut],
  ['MB', row => (row.bytes / 1e6).toFixed(0)],
  ['wrong bytes', row => row.wrongBytes],
  ['connect p50', row => `${row.p50.toFixed(1)} ms`],
  ['p99', row => `${row.p99.toFixed(0)} ms`],
  ['slowest', row => `${row.slowest.toFixed(0)} ms`],
  ['exits', row => row.exits],
  ['client MB', row => row.client.memory.toFixed(0)],
  ['files', row => row.client.files],
  ['functions', row => row.functions.processes],
  ['MB each', row => (row.functions.memory / (row.functions.processes || 1)).toFixed(0)],
  ['files each', row => (row.functions.files / (row.functions.processes || 1)).toFixed(0)],
]

const line = (cells: (string | number)[]) =>
  cells.map((cell, i) => String(cell).padStart(columns[i]![0].length)).join('  ')

export const header = (): string => line(columns.map(([head]) => head))
export const rowLine = (row: Row): string => line(columns.map(([, cell]) => cell(row)))

/** The totals, a line each. */
export function totals({
  rows,
  exits,
  regions,
  engines,
  failedLaunches,
  exitCode,
  reasons,
}: Report): string[] {
  const sum = (key: 'requests' | 'downloads' | 'failed' | 'cut' | 'wrongBytes') =>
    rows.reduce((total, row) => total + row[key], 0)
  const [first, last] = [rows[0]!, rows.at(-1)!]
  return [
    `figure: soak ${rows.length} minutes, ${sum('requests')} requests and ${sum('downloads')} long downloads: ${sum('failed')} failed, ${sum('cut')} cut, ${sum('wrongBytes')} bytes wrong`,
    `figure: soak exits ${exits} (${Object.entries(regions)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}) on ${engines.join(', ')}; launches failed ${failedLaunches}, exit code ${exitCode}`,
    `figure: soak client ${first.client.memory.toFixed(0)} → ${last.client.memory.toFixed(0)} MB, ${first.client.files} → ${last.client.files} open files; functions ${first.functions.memory.toFixed(0)} → ${last.functions.memory.toFixed(0)} MB, ${first.functions.files} → ${last.functions.files} open files in ${first.functions.processes} → ${last.functions.processes} processes`,
    ...reasons.map(reason => `failed: ${reason}`),
  ]
}
