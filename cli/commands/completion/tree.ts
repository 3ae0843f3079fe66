import type { ArgDef, CommandDef } from 'citty'
import {
  argsOf,
  commandsBelow,
  firstSentence,
  isOn,
  namesOf,
  resolved,
} from '../../output/command-definition.ts'

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
  const below = await commandsBelow(command)
  const commands = await Promise.all(
    below.map(async ([name, { meta }]) => ({ name, about: brief((await resolved(meta))?.description) })),
  )
  const options = [
    ...(await argsOf(command)).flatMap(([name, definition]) => optionNodes(name, definition)),
    { names: ['--help', '-h'], about: 'Show how to use it' },
    ...(path.length === 0 ? [{ names: ['--version'], about: 'Show the version' }] : []),
  ]
  const nodes = await Promise.all(below.map(([name, command]) => commandTree(command, [...path, name])))
  return [{ path, commands, options }, ...nodes.flat()]
}

// --- internal ---

function optionNodes(name: string, definition: ArgDef): OptionNode[] {
  if (definition.type === 'positional') return []
  const names = namesOf(name, definition).map(dashed)
  const about = brief(definition.description)
  if (definition.type !== 'boolean') return [{ names, about, value: kindOfValue(definition) }]
  if (!isOn(definition)) return [{ names, about }]
  const { negativeDescription = `Not: ${about}` } = definition
  return [
    { names, about },
    { names: [`--no-${name}`], about: negativeDescription },
  ]
}

function kindOfValue({ valueHint, ...definition }: ArgDef): NonNullable<OptionNode['value']> {
  if ('options' in definition && definition.options) return definition.options
  return valueHint === 'path' ? 'file' : 'any'
}

const dashed = (name: string) => (name.length === 1 ? `-${name}` : `--${name}`)

/** Without the details in brackets: there is little room beside a word. */
const brief = (text = '') => firstSentence(text.replace(/ \([^)]*\)/g, ''))
