import type { ArgDef, CommandDef } from 'citty'

// A command's definition, as help and completions read it: in citty each part may be a value, a promise, or a function
// that gives one.

type Resolvable<T> = T | Promise<T> | (() => T) | (() => Promise<T>)

export const resolved = async <T>(it: Resolvable<T> | undefined): Promise<T | undefined> =>
  typeof it === 'function' ? await (it as () => T | Promise<T>)() : await it

/** The arguments of a command, by name. */
export const argsOf = async ({ args }: CommandDef): Promise<[name: string, definition: ArgDef][]> =>
  Object.entries((await resolved(args)) ?? {})

/** The commands below a command, each loaded. */
export async function commandsBelow({ subCommands }: CommandDef): Promise<[name: string, CommandDef][]> {
  const below = Object.entries((await resolved(subCommands)) ?? {})
  return Promise.all(below.map(async ([name, load]) => [name, (await resolved(load)) as CommandDef]))
}

/** The names of an option, its own first. */
export const namesOf = (name: string, option: ArgDef): string[] => [
  name,
  ...('alias' in option ? [option.alias ?? []].flat() : []),
]

/** Whether an option is there to be switched off. */
export const isOn = (option: ArgDef): boolean =>
  option.type === 'boolean' && (option.default === true || option.negativeDescription !== undefined)

export const firstSentence = (text: string): string => text.split(/[.;:] /)[0]!.replace(/\.$/, '')
