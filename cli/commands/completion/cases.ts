import type { CommandNode, OptionNode } from './tree.ts'

// What the scripts of all shells go by: the words before the cursor, put together, name a case.

/** A command as the scripts know it: its words, with a space between them; '' for the program. */
export const keyOf = ({ path }: CommandNode): string => path.join(' ')

/** "config init": the command so far and the word that leads on from it. */
export const steps = (nodes: readonly CommandNode[]): string[] =>
  nodes.flatMap(node => node.commands.map(({ name }) => `${keyOf(node)} ${name}`))

/** "env --shell": options of this kind, each with its command before it. */
export const takers = (
  nodes: readonly CommandNode[],
  wanted: (value: NonNullable<OptionNode['value']>) => boolean,
): string[] =>
  nodes.flatMap(node =>
    node.options
      .filter(({ value }) => value !== undefined && wanted(value))
      .flatMap(({ names }) => names.map(name => `${keyOf(node)} ${name}`)),
  )

/** The lists of words that options choose from, and the options that do. */
export function choices(nodes: readonly CommandNode[]): { words: string[]; takers: string[] }[] {
  const lists = new Map<string, string[]>()
  for (const { options } of nodes)
    for (const { value } of options) if (Array.isArray(value)) lists.set(value.join(' '), value)
  return [...lists.values()].map(words => ({
    words,
    takers: takers(nodes, value => Array.isArray(value) && value.join(' ') === words.join(' ')),
  }))
}

/** In single quotes, for the shells of the Bourne family. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
