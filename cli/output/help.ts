import { stripVTControlCharacters } from 'node:util'
import { colors } from 'consola/utils'
import { type HelpRow, type HelpSubject, helpPage } from './help-page.ts'

export { describe, type HelpSubject } from './help-page.ts'

// citty's own help shows every alias with one dash and does not wrap its lines.

/** Help for a command, for a terminal of this width, in colours. */
export async function renderHelp(subject: HelpSubject, width: number): Promise<string> {
  const { words, description, usage, sections, commands } = await helpPage(subject)
  const isOption = (title: string) => !['commands', 'words', 'examples', 'exit codes'].includes(title)
  // One column for all options, in whatever group.
  const left = labelWidth(
    sections.filter(({ title }) => isOption(title)).flatMap(({ rows }) => rows),
    width,
  )
  const section = (title: string, lines: string) => `${colors.bold(title.toUpperCase())}\n${lines}`
  return [
    wrap(description, width, 0),
    section('usage', `  ${usage}`),
    ...sections.map(({ title, rows: of }) =>
      section(title, isOption(title) ? rows(of, width, left) : rows(of, width)),
    ),
    ...(commands.length > 0 ? [`Run "${words.join(' ')} <command> --help" for more about a command.`] : []),
  ].join('\n\n')
}

/** Colours are for a terminal alone, and not when NO_COLOR asks for none; lines of more than 100 characters read badly. */
export async function printHelp(subject: HelpSubject): Promise<void> {
  const width = process.stdout.columns || Number(process.env.COLUMNS) || 80
  const text = await renderHelp(subject, Math.min(width, 100))
  const plain = !process.stdout.isTTY || Boolean(process.env.NO_COLOR)
  process.stdout.write(`${plain ? stripVTControlCharacters(text) : text}\n`)
}

export const asksForHelp = (args: readonly string[]): boolean =>
  args.includes('--help') || args.includes('-h')

// --- internal ---

/** A wider label has its text below it. */
const widestLabel = 30

/** Two columns; the right one is wrapped by words. */
function rows(rows: readonly HelpRow[], width: number, left = labelWidth(rows, width)): string {
  const indent = left + 4
  return rows
    .map(([label, about]) => {
      const lines = wrap(about, width, indent).trimStart()
      const shown = colors.cyan(label)
      return label.length > left
        ? `  ${shown}\n${' '.repeat(indent)}${lines}`
        : `  ${shown}${' '.repeat(left - label.length)}  ${lines}`
    })
    .join('\n')
}

const labelWidth = (rows: readonly HelpRow[], width: number) =>
  Math.min(Math.max(...rows.map(([label]) => label.length)), widestLabel, Math.floor(width / 2) - 5)

/** Breaks a text at words, each line indented. */
const wrap = (text: string, width: number, indent: number): string =>
  Bun.wrapAnsi(text, Math.max(width - indent, 20))
    .split('\n')
    .map(line => ' '.repeat(indent) + line)
    .join('\n')
