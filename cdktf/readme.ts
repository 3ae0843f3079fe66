import type { TerraformVariableConfig } from 'cdktf'
import { OUTPUTS } from './outputs.ts'
import { VARIABLES } from './variables.ts'

/** A README with its tables of inputs and outputs written anew, each between two marks; without marks it stays. */
export const withTables = (readme: string): string =>
  Object.entries(tables()).reduce(
    (text, [name, table]) =>
      text.replace(
        new RegExp(`(<!-- ${name}: written by bun run synth -->\\n)[^]*?(<!-- end -->)`),
        (_, begin: string, end: string) => `${begin}\n${table}\n\n${end}`,
      ),
    readme,
  )

// --- internal ---

const tables = () => ({
  inputs: table(
    ['Name', 'Type', 'Default', 'What it is'],
    Object.entries(VARIABLES).map(([name, { type = '', default: given, description = '' }]) => [
      code(name),
      code(shortType(type)),
      code(JSON.stringify(given ?? null)),
      description,
    ]),
  ),
  outputs: table(
    ['Name', 'What it is'],
    Object.entries(OUTPUTS).map(([name, { description = '' }]) => [code(name), description]),
  ),
})

/** An object's attributes in one word each: `?` marks one that may be left out. */
const shortType = (type: NonNullable<TerraformVariableConfig['type']>) =>
  type
    .replace(/(\w+) = optional\((list\(string\)|\w+)(, [^)]*)?\)/g, '$1?')
    .replace(/(\w+) = (list\(string\)|\w+)/g, '$1')

const code = (text: string) => `\`${text}\``

/** Columns as wide as their widest cell, as the formatter leaves them. */
function table(head: string[], rows: string[][]): string {
  const all = [head, ...rows].map(cells => cells.map(cell => cell.replaceAll('|', '\\|')))
  const widths = head.map((_, at) => Math.max(...all.map(cells => cells[at]!.length)))
  const line = (cells: string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(' | ')} |`
  return [line(all[0]!), line(widths.map(width => '-'.repeat(width))), ...all.slice(1).map(line)].join('\n')
}
