import { exitCodeMeanings, exitCodes } from '../../output/exit-codes.ts'
import { type HelpPage, type HelpRow, type HelpSubject, helpPage } from '../../output/help-page.ts'

// A manual page in the man macros (groff_man(7)), of the same definitions as --help.

export interface ManOptions {
  version: string
  date: Date
}

/** The page of section 1 for a program and all its commands. */
export async function manPage(program: HelpSubject, { version, date }: ManOptions): Promise<string> {
  const page = await helpPage(program)
  const commands = await leaves(page)
  const name = page.words[0]!
  const lines = [
    `.TH ${quoted(name.toUpperCase())} 1 ${date.toISOString().slice(0, 10)} ${quoted(`${name} ${version}`)} "User Commands"`,
    '.SH NAME',
    `${text(name)} \\- ${text(asName(page.description))}`,
    '.SH SYNOPSIS',
    `.B ${text(name)}`,
    '.I command',
    '.RI [ options ]',
    '.SH DESCRIPTION',
    text(page.description),
    '.SH COMMANDS',
    ...commands.flatMap(commandLines),
    '.SH OPTIONS',
    'These are for every command.',
    ...tagged([
      ['-h, --help', 'Show how to use the command'],
      ['-v, --version', 'Show the version'],
    ]),
    '.SH EXIT STATUS',
    ...tagged(Object.entries(exitCodes).map(([key, code]) => [String(code), meaningOf(key)])),
    '.SH FILES',
    ...tagged([
      ['~/.config/lambda-nat-proxy/lambda-nat-proxy.yaml', 'The configuration (XDG_CONFIG_HOME)'],
      ['~/.local/state/lambda-nat-proxy', "Terraform's files and state of each deployment (XDG_STATE_HOME)"],
      ['~/.cache/lambda-nat-proxy', 'What the program unpacks; it can be deleted (XDG_CACHE_HOME)'],
    ]),
    ...sectionOf(page, 'examples').flatMap(({ rows }) => ['.SH EXAMPLES', ...tagged(rows)]),
  ]
  return `${lines.join('\n')}\n`
}

// --- internal ---

/** The commands that have none below them. */
async function leaves(page: HelpPage): Promise<HelpPage[]> {
  if (page.commands.length === 0) return [page]
  const below = await Promise.all(page.commands.map(async subject => leaves(await helpPage(subject))))
  return below.flat()
}

const sectionOf = ({ sections }: HelpPage, wanted: string) => sections.filter(({ title }) => title === wanted)

const meaningOf = (key: string) => exitCodeMeanings[key as keyof typeof exitCodeMeanings]

/** Help and exit codes are the same for all, and stand once. */
function commandLines(page: HelpPage): string[] {
  const [, ...usage] = page.usage.split(' ')
  const groups = page.sections.filter(({ title }) => title !== 'exit codes')
  return [
    `.SS ${quoted(usage.join(' '))}`,
    text(page.description),
    ...groups.flatMap(({ title, rows }) => {
      const own = rows.filter(([label]) => label !== '-h, --help')
      if (own.length === 0) return []
      return [...(title === 'options' ? [] : ['.PP', `.B ${text(capital(title))}`]), ...tagged(own)]
    }),
  ]
}

const tagged = (rows: readonly HelpRow[]) =>
  rows.flatMap(([label, about]) => ['.TP', `.B ${text(label)}`, text(about)])

const capital = (title: string) => title.slice(0, 1).toUpperCase() + title.slice(1)

/** As whatis(1) lists it: a phrase without an article at its start, and no second clause. */
const asName = (description: string) => description.split(/[:.]/)[0]!.replace(/^An? /, '')

/** A line of text: a backslash, and a dot or quote at its start, mean something to roff; its plain hyphen is another sign,
 * and older ones know ASCII alone. */
const text = (line: string) =>
  line
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/[^\0-~]/gu, sign => `\\[u${sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`)
    .replace(/^([.'])/, '\\&$1')

const quoted = (word: string) => `"${text(word).replaceAll('"', '""')}"`
