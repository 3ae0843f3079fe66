import type { ArgDef, ArgsDef } from 'citty'
import { UsageError } from '../input/usage-error.ts'

/**
 * Refuses options that a command does not have, and options without their value or with one that is none of theirs:
 * citty passes over the first, makes the second an empty text, and colours what it says of the third also where it
 * is no terminal. Throws a UsageError that names the option.
 */
export function checkOptions(args: string[], definition: ArgsDef = {}): void {
  const known = new Map<string, ArgDef>()
  for (const [name, option] of Object.entries(definition)) {
    const aliases = 'alias' in option ? (option.alias ?? []) : []
    for (const each of [name, aliases].flat()) known.set(each, option)
  }
  const positionals = Object.values(definition).filter(({ type }) => type === 'positional').length
  let given = 0
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (arg === '--') return
    if (!arg.startsWith('-') || arg === '-') {
      if (++given > positionals) throw new UsageError(`'${arg}' is not expected here: see --help`)
      continue
    }
    const [, name = '', value] = /^--?([^=]+)(?:=(.*))?$/s.exec(arg) ?? []
    const option = known.get(name) ?? (name.startsWith('no-') ? known.get(name.slice(3)) : undefined)
    if (!option) throw new UsageError(`there is no option '${arg.split('=')[0]}': see --help`)
    if (option.type === 'boolean') continue
    const text = value ?? args[++i]
    if (text === undefined || text === '') throw new UsageError(`--${name} needs a value: see --help`)
    if (option.type === 'enum' && !option.options?.includes(text))
      throw new UsageError(`--${name} ${text} is none of ${option.options?.join(', ')}: see --help`)
  }
}
