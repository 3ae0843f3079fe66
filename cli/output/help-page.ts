import type { ArgDef, CommandDef, CommandMeta } from 'citty'
import { isRepeated } from '../input/check-options.ts'
import { argsOf, commandsBelow, firstSentence, isOn, namesOf, resolved } from './command-definition.ts'
import { type ExitCode, exitCodeMeanings, exitCodes } from './exit-codes.ts'

// What is known of how to use a command, for a terminal and for a manual page.

/** What a command says of itself. */
export interface HelpMeta extends CommandMeta {
  /** Exit codes beside 0, 1 and 2, or those in other words. */
  exits?: Partial<Record<ExitCode, string>>
  /** What its words may be, where a name does not say it. */
  choices?: readonly HelpRow[]
  /** Command lines without the program's name, and what each does. */
  examples?: readonly (readonly [line: string, about: string])[]
}

/** A command's meta data, with what citty's type of them does not know. */
export const describe = (meta: HelpMeta): HelpMeta => meta

/** A command and the commands above it, the program first, as words: `['lambda-nat-proxy', 'config', 'init']`. */
export interface HelpSubject {
  words: readonly string[]
  command: CommandDef
}

/** A label and what it stands for. */
export type HelpRow = readonly [label: string, about: string]

export interface HelpSection {
  title: 'commands' | 'words' | 'examples' | 'exit codes' | (string & {})
  rows: readonly HelpRow[]
}

export interface HelpPage {
  words: readonly string[]
  description: string
  /** `lambda-nat-proxy config init [options]` */
  usage: string
  /** Commands, options by their groups, examples, exit codes: those that there are. */
  sections: readonly HelpSection[]
  /** What stands below it. */
  commands: readonly HelpSubject[]
}

export async function helpPage({ words, command }: HelpSubject): Promise<HelpPage> {
  const { description = '', exits = {}, choices = [], examples = [] } = await metaOf(command)
  const args = await argsOf(command)
  const commands = (await commandsBelow(command)).map(([name, command]) => ({
    words: [...words, name],
    command,
  }))
  const options = args.filter(([, { type }]) => type !== 'positional')
  const positionals = args.filter(([, { type }]) => type === 'positional')
  const usage = [
    ...words,
    ...(commands.length > 0 ? ['<command>'] : []),
    ...positionals.map(([name, option]) => word(name, option)),
    ...(options.length > 0 ? ['[options]'] : []),
  ]
  const sections: HelpSection[] = [
    { title: 'commands', rows: await Promise.all(commands.map(commandRow)) },
    { title: 'words', rows: choices },
    ...grouped(options, words.length === 1),
    { title: 'examples', rows: examples.map(([line, about]) => [`${words[0]} ${line}`, about]) },
    { title: 'exit codes', rows: commands.length > 0 ? [] : codes(exits) },
  ]
  return {
    words,
    description,
    usage: usage.join(' '),
    sections: sections.filter(({ rows }) => rows.length > 0),
    commands,
  }
}

// --- internal ---

/** A command with fewer options shows them in one section. */
const leastToGroup = 10

const metaOf = async ({ meta }: CommandDef): Promise<HelpMeta> => (await resolved(meta)) ?? {}

async function commandRow({ words, command }: HelpSubject): Promise<HelpRow> {
  const { description = '' } = await metaOf(command)
  return [words[words.length - 1]!, firstSentence(description)]
}

/** The options in their groups, in the order in which these first come up; those without one are last. */
function grouped(options: [string, ArgDef][], isProgram: boolean): HelpSection[] {
  const groups = new Map<string, HelpRow[]>()
  const add = (title: string, row: HelpRow) => groups.set(title, [...(groups.get(title) ?? []), row])
  for (const [name, option] of options) {
    const { group } = option as { group?: string }
    add(options.length < leastToGroup ? 'options' : (group ?? 'options'), [label(name, option), text(option)])
  }
  add('options', ['-h, --help', 'Show this help'])
  if (isProgram) add('options', ['-v, --version', 'Show the version'])
  const { options: others = [], ...named } = Object.fromEntries(groups)
  return [...Object.entries(named), ['options', others] as const].map(([title, rows]) => ({ title, rows }))
}

/** `<site>`, or `[site]` where it may be left out, or `[site…]` where there may be many. */
function word(name: string, option: ArgDef): string {
  const all = isRepeated(option) ? `${name}…` : name
  return option.required === false ? `[${all}]` : `<${all}>`
}

/** `-p, --port=<port>`: one letter has one dash, a word two. */
function label(name: string, option: ArgDef): string {
  const [own, ...aliases] = namesOf(name, option)
  const names = [...aliases, own!]
    .sort((a, b) => Math.min(a.length, 2) - Math.min(b.length, 2))
    .map(each => (each.length === 1 ? `-${each}` : `--${isOn(option) ? '[no-]' : ''}${each}`))
  return names.join(', ') + hint(name, option)
}

function hint(name: string, { type, valueHint, ...option }: ArgDef): string {
  if (type === 'boolean') return ''
  if ('options' in option && option.options) return `=<${option.options.join('|')}>`
  return `=<${valueHint ?? name}>`
}

function text(option: ArgDef): string {
  const { description = '', default: value } = option
  if (isOn(option)) return `${description} (on by default)`
  return typeof value === 'string' ? `${description} (default: ${value})` : description
}

const codes = (own: Partial<Record<ExitCode, string>>): HelpRow[] => {
  const said: Partial<Record<ExitCode, string>> = {
    done: exitCodeMeanings.done,
    failed: exitCodeMeanings.failed,
    usage: exitCodeMeanings.usage,
    ...own,
  }
  return Object.entries(exitCodes).flatMap(([name, code]) => {
    const meaning = said[name as ExitCode]
    return meaning === undefined ? [] : [[String(code), meaning] as const]
  })
}
