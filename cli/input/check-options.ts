import type { ArgDef, ArgsDef } from 'citty'
import { nearest } from './did-you-mean.ts'
import { UsageError } from './usage-error.ts'

/**
 * Refuses options that a command does not have, and options without their value or with one that is none of theirs:
 * citty passes over the first, reads `-region` as letters and the value away, and makes a missing value an empty text.
 * So too a word that a command needs, such as a site, where it is missing or empty: citty's own error is no UsageError.
 * And an option that is given twice, of which citty keeps the last value only: a rule would be lost without a word.
 * Throws a UsageError that names the option, and one that it could have been.
 */
export function checkOptions(args: readonly string[], definition: ArgsDef = {}): void {
  const known = new Map<string, ArgDef>()
  for (const [name, option] of Object.entries(definition)) {
    if (option.type === 'positional') continue
    const aliases = 'alias' in option ? (option.alias ?? []) : []
    for (const each of [name, aliases].flat()) known.set(dashed(each), option)
    if (option.type === 'boolean') known.set(`--no-${name}`, option)
  }
  const positionals = Object.entries(definition).filter(([, { type }]) => type === 'positional')
  const words = positionals.some(([, option]) => isRepeated(option))
    ? Number.POSITIVE_INFINITY
    : positionals.length
  const unknown = (given: string, problem: string) => {
    const found = nearest(bare(given), [...known.keys()].map(bare)).map(dashed)
    return new UsageError(
      found.length > 0
        ? `${problem}; did you mean ${found.join(' or ')}? See --help.`
        : `${problem}: see --help`,
    )
  }
  const given: string[] = []
  const seen = new Set<ArgDef>()
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (arg === '--') {
      given.push(...args.slice(i + 1))
      break
    }
    if (!arg.startsWith('-') || arg === '-') {
      if (given.push(arg) > words) throw unknown(arg, `'${arg}' is not expected here`)
      continue
    }
    const [, name = arg, value] = /^(-[^=]+)=(.*)$/s.exec(arg) ?? []
    const option = known.get(name)
    if (!option && known.has(doubled(name))) throw unknown(name, `'${name}' has one dash`)
    if (!option) throw unknown(name, `there is no option '${name}'`)
    // citty takes the sign for a part of the value.
    if (value !== undefined && !name.startsWith('--'))
      throw new UsageError(`${arg}: put a space before the value, as in ${name} ${value}`)
    if (option.type === 'boolean') {
      if (value !== undefined && !['true', 'false'].includes(value))
        throw new UsageError(`${name} takes true or false only: see --help`)
      continue
    }
    const text = value ?? args[++i]
    if (text === undefined || text === '' || (value === undefined && isOption(text)))
      throw new UsageError(`${name} needs a value: see --help`)
    if (option.type === 'enum' && !option.options?.includes(text))
      throw new UsageError(`${name} ${text} is not one of ${option.options?.join(', ')}: see --help`)
    if (seen.has(option) && !isRepeated(option))
      throw new UsageError(`${name} is given more than once: put all of its values into one, see --help`)
    seen.add(option)
  }
  for (const [i, [name, { required = true }]] of positionals.entries())
    if (given[i] === '' || (given[i] === undefined && required))
      throw new UsageError(`<${name}> is missing: see --help`)
}

/** An option that may be given more than once, or a positional, the last one, that stands for any number of words. */
export const isRepeated = (option: ArgDef): boolean => 'repeated' in option && option.repeated === true

// --- internal ---

const dashed = (name: string) => (name.length === 1 ? `-${name}` : `--${name}`)

const bare = (name: string) => name.replace(/^--?/, '')

/** With two dashes what has one, unless it is a single letter. */
const doubled = (name: string) => (/^-[^-]./.test(name) ? `-${name}` : name)

/** No value begins with two dashes: it is the next option, and the value was forgotten. */
const isOption = (text: string) => /^--[a-z]/.test(text)
