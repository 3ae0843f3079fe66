import { stringify } from 'yaml'
import { UsageError } from './usage-error.ts'

/** The options of a command that reports something, for programs to read. */
export const formatOptions = {
  json: { type: 'boolean', default: false, description: 'Print JSON' },
  yaml: { type: 'boolean', default: false, description: 'Print YAML' },
} as const

/** Prints a report: as JSON, as YAML, or for a person as `human` puts it. */
export function print<T>(
  report: T,
  format: { json: boolean; yaml: boolean },
  human: (report: T) => string,
): void {
  if (format.json && format.yaml) throw new UsageError('--json and --yaml are both given: leave out one')
  const text = format.json ? JSON.stringify(report, null, 2) : format.yaml ? stringify(report) : human(report)
  process.stdout.write(`${text.trimEnd()}\n`)
}

/** Lines of cells, in columns as wide as what they hold. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  return rows
    .map(row =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
