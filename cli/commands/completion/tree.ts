import type { ArgDef, ArgsDef, CommandDef, CommandMeta } from 'citty'

/** A command as its definition has it, for a shell to complete. */
export interface CommandNode {
  /** Words that lead to it: [] for the program itself. */
  path: string[]
  commands: { name: string; about: string }[]
  options: OptionNode[]
}

export interface OptionNode {
  /** With their dashes: `--regions`, `--region`, `-h`. */
  names: string[]
  about: string
  /** What it takes: one of these words, a file, or something that nobody can guess; undefined: it takes nothing. */
  value?: string[] | 'file' | 'any'
}

/** All commands, each before those below it. Reads every command's definition. */
export async function commandTree(command: CommandDef, path: string[] = []): Promise<CommandNode[]> {
  const below = Object.entries((await resolved(command.subCommands)) ?? {})
  const loaded = await Promise.all(
    below.map(async ([name, load]) => ({ name, command: (await resolved(load)) as CommandDef })),
  )
  const commands = await Promise.all(
    loaded.map(async ({ name, command }) => ({ name, about: firstSentence(await aboutOf(command)) })),
  )
  const args = (await resolved<ArgsDef>(command.args)) ?? {}
  const options = [
    ...Object.entries(args).flatMap(([name, definition]) => optionNodes(name, definition)),
    { names: ['--help', '-h'], about: 'Show how to use it' },
    ...(path.length === 0 ? [{ names: ['--version'], about: 'Show the version' }] : []),
  ]
  const nodes = await Promise.all(loaded.map(({ name, command }) => commandTree(command, [...path, name])))
  return [{ path, commands, options }, ...nodes.flat()]
}

// --- internal ---

type Resolvable<T> = T | Promise<T> | (() => T) | (() => Promise<T>)

const resolved = async <T>(it: Resolvable<T> | undefined): Promise<T | undefined> =>
  typeof it === 'function' ? await (it as () => T | Promise<T>)() : await it

const aboutOf = async ({ meta }: CommandDef) => (await resolved<CommandMeta>(meta))?.description ?? ''

function optionNodes(name: string, definition: ArgDef): OptionNode[] {
  if (definition.type === 'positional') return []
  const names = [name, ('alias' in definition && definition.alias) || []].flat().map(dashed)
  const about = firstSentence(definition.description ?? '')
  if (definition.type !== 'boolean') return [{ names, about, value: kindOfValue(definition) }]
  const { negativeDescription: negative } = definition
  // Help shows the same: what is on by default is there to be switched off.
  return [
    { names, about },
    ...(definition.default === true || negative !== undefined
      ? [{ names: [`--no-${name}`], about: negative ?? `Not: ${about}` }]
      : []),
  ]
}

function kindOfValue({ valueHint, ...definition }: ArgDef): NonNullable<OptionNode['value']> {
  if ('options' in definition && definition.options) return definition.options
  return valueHint === 'path' ? 'file' : 'any'
}

const dashed = (name: string) => (name.length === 1 ? `-${name}` : `--${name}`)

/** Without the details in brackets: there is little room beside a word. */
const firstSentence = (text: string) =>
  text
    .replace(/ \([^)]*\)/g, '')
    .split(/[.;:] /)[0]!
    .replace(/\.$/, '')
