import { stringify } from 'yaml'
import { UsageError } from '../input/usage-error.ts'

/** The options of a command that reports something, for programs to read. */
export const formatOptions = {
  json: { type: 'boolean', default: false, description: 'Print JSON' },
  yaml: { type: 'boolean', default: false, description: 'Print YAML' },
} as const

export type Format = 'json' | 'yaml' | 'human'

/** The format that is asked for. To be read before anything is done: throws a UsageError when it is two. */
export function formatOf({ json, yaml }: { json: boolean; yaml: boolean }): Format {
  if (json && yaml) throw new UsageError('--json and --yaml are both given: leave out one')
  return json ? 'json' : yaml ? 'yaml' : 'human'
}

/** Prints a report: as JSON, as YAML, or for a person as `human` puts it. */
export function print<T>(report: T, format: Format, human: (report: T) => string): void {
  const write = { json: () => JSON.stringify(report, null, 2), yaml: () => stringify(report), human }
  process.stdout.write(`${write[format](report).trimEnd()}\n`)
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

/**
 * The same with headings in the first row. On a terminal that is too narrow for it columns are left out, in the order of
 * `dispensable`, until it fits, and a line below names them.
 */
export function table(
  rows: readonly (readonly string[])[],
  dispensable: readonly string[],
  width = (process.stdout.isTTY && process.stdout.columns) || Number.POSITIVE_INFINITY,
): string {
  const [headings = []] = rows
  const left: string[] = []
  let text = columns(rows)
  for (const heading of dispensable) {
    if (text.split('\n').every(line => line.length <= width)) break
    left.push(heading)
    text = columns(rows.map(row => row.filter((_, i) => !left.includes(headings[i]!))))
  }
  return left.length === 0 ? text : `${text}\n\nNo room for ${left.join(', ')}: --json has all.`
}
