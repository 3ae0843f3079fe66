import type { ArgDef, CommandDef, CommandMeta } from 'citty'
import { colors } from 'consola/utils'
import { type ExitCode, exitCodeMeanings, exitCodes } from './exit-codes.ts'

// citty's own help shows every alias with one dash and does not wrap its lines.

/** What a command says of itself. */
export interface HelpMeta extends CommandMeta {
  /** Exit codes beside 0, 1 and 2, or those in other words. */
  exits?: Partial<Record<ExitCode, string>>
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

/** Help for a command, for a terminal of this width, in colours. */
export async function renderHelp({ words, command }: HelpSubject, width: number): Promise<string> {
  const { description = '', exits = {}, examples = [] } = await metaOf(command)
  const args = Object.entries((await resolved(command.args)) ?? {})
  const commands = await Promise.all(
    Object.entries((await resolved(command.subCommands)) ?? {}).map(async ([name, load]) => {
      const { description = '' } = await metaOf((await resolved(load)) as CommandDef)
      return [name, firstSentence(description)] as const
    }),
  )
  const options = args.filter(([, { type }]) => type !== 'positional')
  const positionals = args.filter(([, { type }]) => type === 'positional')
  const usage = [
    ...words,
    ...(commands.length > 0 ? ['<command>'] : []),
    ...positionals.map(([name, { required }]) => (required === false ? `[${name}]` : `<${name}>`)),
    ...(options.length > 0 ? ['[options]'] : []),
  ]
  const isProgram = words.length === 1
  const groups = grouped(options, isProgram)
  const left = labelWidth(
    groups.flatMap(([, rows]) => rows),
    width,
  )
  const sections: [title: string, lines: string][] = [
    ['usage', `  ${usage.join(' ')}`],
    ...(commands.length > 0 ? [['commands', rows(commands, width)] as [string, string]] : []),
    ...groups.map(([title, of]): [string, string] => [title, rows(of, width, left)]),
    ...(examples.length > 0
      ? [
          [
            'examples',
            rows(
              examples.map(([line, about]) => [`${words[0]} ${line}`, about]),
              width,
            ),
          ] as [string, string],
        ]
      : []),
    ...(commands.length > 0 ? [] : [['exit codes', rows(codes(exits), width)] as [string, string]]),
  ]
  return [
    wrap(description, width, 0),
    ...sections.map(([title, lines]) => `${colors.bold(title.toUpperCase())}\n${lines}`),
    ...(commands.length > 0 ? [`"${words.join(' ')} <command> --help" says more of a command.`] : []),
  ].join('\n\n')
}

// --- internal ---

type Row = readonly [label: string, about: string]
/** A command with fewer options shows them in one section. */
const leastToGroup = 10
/** A wider label has its text below it. */
const widestLabel = 30

type Resolvable<T> = T | Promise<T> | (() => T) | (() => Promise<T>)

const resolved = async <T>(it: Resolvable<T> | undefined): Promise<T | undefined> =>
  typeof it === 'function' ? await (it as () => T | Promise<T>)() : await it

const metaOf = async ({ meta }: CommandDef): Promise<HelpMeta> => (await resolved(meta)) ?? {}

const firstSentence = (text: string) => text.split(/[.;:] /)[0]!.replace(/\.$/, '')

/** The options in their groups, in the order in which these first come up; those without one are last. */
function grouped(options: [string, ArgDef][], isProgram: boolean): [title: string, rows: Row[]][] {
  const groups = new Map<string, Row[]>()
  const add = (title: string, row: Row) => groups.set(title, [...(groups.get(title) ?? []), row])
  for (const [name, option] of options) {
    const { group } = option as { group?: string }
    add(options.length < leastToGroup ? 'options' : (group ?? 'options'), [label(name, option), text(option)])
  }
  add('options', ['-h, --help', 'Show this help'])
  if (isProgram) add('options', ['-v, --version', 'Show the version'])
  const { options: others = [], ...named } = Object.fromEntries(groups)
  return [...Object.entries(named), ['options', others]]
}

/** `-p, --port=<port>`: one letter has one dash, a word two. */
function label(name: string, option: ArgDef): string {
  const aliases = 'alias' in option ? [option.alias ?? []].flat() : []
  const names = [...aliases, name]
    .sort((a, b) => Math.min(a.length, 2) - Math.min(b.length, 2))
    .map(each => (each.length === 1 ? `-${each}` : `--${isOn(option) ? '[no-]' : ''}${each}`))
  return names.join(', ') + hint(name, option)
}

function hint(name: string, { type, valueHint, ...option }: ArgDef): string {
  if (type === 'boolean') return ''
  if ('options' in option && option.options) return `=<${option.options.join('|')}>`
  return `=<${valueHint ?? name}>`
}

/** Whether it is there to be switched off. */
const isOn = (option: ArgDef) =>
  option.type === 'boolean' && (option.default === true || option.negativeDescription !== undefined)

function text(option: ArgDef): string {
  const { description = '', default: value } = option
  if (isOn(option)) return `${description} (on by default)`
  return typeof value === 'string' ? `${description} (default: ${value})` : description
}

const codes = (own: Partial<Record<ExitCode, string>>): Row[] => {
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

/** Two columns; the right one is wrapped by words. */
function rows(rows: readonly Row[], width: number, left = labelWidth(rows, width)): string {
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

const labelWidth = (rows: readonly Row[], width: number) =>
  Math.min(Math.max(...rows.map(([label]) => label.length)), widestLabel, Math.floor(width / 2) - 5)

/** Breaks a text at words, each line indented. */
const wrap = (text: string, width: number, indent: number): string =>
  Bun.wrapAnsi(text, Math.max(width - indent, 20))
    .split('\n')
    .map(line => ' '.repeat(indent) + line)
    .join('\n')
