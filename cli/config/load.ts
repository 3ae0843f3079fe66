import * as v from 'valibot'
import { readList } from '../input/list.ts'
import { throwTogether, together } from '../input/together.ts'
import { UsageError } from '../input/usage-error.ts'
import { defaultConfigPath } from '../places/folders.ts'
import { type FileSettings, readConfigFile } from './file.ts'
import type { Setting } from './settings/setting.ts'
import { entry, environmentOf, type Key, keys, type Values } from './settings.ts'

/** Where a value came from; `where` is the line of the file, the variable or the option, and empty for a default. */
export interface Source {
  kind: 'default' | 'file' | 'environment' | 'flag'
  where: string
}

export interface Config {
  /** The file that was looked for, and whether it is there. */
  file: string
  fileFound: boolean
  /** The effective values: `config.values['proxy.port']`. */
  values: Values
  sources: Record<Key, Source>
}

export interface ConfigOptions {
  /** A command's arguments as citty gives them: settings' own options, and `config`. */
  flags?: Record<string, unknown>
  env?: Record<string, string | undefined>
  /** In place of the option, LAMBDA_NAT_PROXY_CONFIG and the default path. */
  file?: string
}

/**
 * The settings in effect: an option before the environment, before the file, before the default. Throws a
 * UsageError that says where the wrong value stands and what is allowed.
 */
export async function loadConfig({
  flags = {},
  env = process.env,
  file,
}: ConfigOptions = {}): Promise<Config> {
  const { path, named } = configPath({ flags, env, file })
  const inFile = await readConfigFile(path)
  if (!inFile && named) throw new UsageError(`${path}: there is no such file`, { code: 'E_CONFIG_NOT_FOUND' })

  const [effective] = await together(
    () => settle(flags, env, inFile),
    () => checkEndpoints(env),
  )
  return { file: path, fileFound: inFile !== undefined, ...effective }
}

/** The effective value of each setting, and its source. Throws all errors at once: see `throwTogether`. */
export function settle(
  flags: Record<string, unknown>,
  env: Record<string, string | undefined>,
  inFile?: FileSettings,
): Pick<Config, 'values' | 'sources'> {
  const errors: unknown[] = []
  const effective = keys.map(key => {
    try {
      return effectiveOf(key)
    } catch (error) {
      errors.push(error)
      return from(key, 'default', '', entry(key).default)
    }
  })
  throwTogether(errors)
  return {
    values: Object.fromEntries(effective.map(({ key, value }) => [key, value])) as Values,
    sources: Object.fromEntries(effective.map(({ key, source }) => [key, source])) as Record<Key, Source>,
  }

  function effectiveOf(key: Key) {
    const definition = entry(key)
    const flag = [definition.flag, definition.flagAlias ?? []].flat().find(each => flags[each] !== undefined)
    if (flag) return from(key, 'flag', `--${flag}`, read(definition, String(flags[flag]), `--${flag}`))
    const variable = environmentOf(key).find(each => env[each])
    if (variable) return from(key, 'environment', variable, read(definition, env[variable]!, variable))
    const line = inFile?.settings.get(key)
    if (line) return from(key, 'file', `${inFile!.path}:${line.line}`, line.value)
    return from(key, 'default', '', definition.default)
  }

  function from(key: Key, kind: Source['kind'], where: string, value: unknown) {
    return { key, value, source: { kind, where } }
  }
}

/** The configuration file's path, and whether an option or a variable names it. */
export function configPath({ flags = {}, env = process.env, file }: ConfigOptions = {}): {
  path: string
  named: boolean
} {
  const named = file ?? (flags.config as string | undefined) ?? (env.LAMBDA_NAT_PROXY_CONFIG || undefined)
  return { path: named ?? defaultConfigPath(), named: named !== undefined }
}

// --- internal ---

/** The AWS SDK reads these variables, and does not say what is wrong with one. */
function checkEndpoints(env: Record<string, string | undefined>): void {
  for (const name of ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3']) {
    const text = env[name]
    if (text && !['http:', 'https:'].includes(URL.parse(text)?.protocol ?? ''))
      throw new UsageError(`${name} ${text} is not a URL: give one that begins with https:// or http://`)
  }
}

/** Reads a setting from a text; `where` is for the message. */
function read({ schema, kind }: Setting<unknown>, text: string, where: string): unknown {
  const { success, output, issues } = v.safeParse(schema, fromText[kind](text))
  if (success) return output
  throw new UsageError(`${where} ${withoutLogins(text)} ${issues[0].message}`)
}

/** A login in the wrong place, as in a URL, is not repeated. */
const withoutLogins = (text: string) => text.replace(/[^,\s/]*:[^,\s/]*@/g, '…@')

const fromText = {
  text: (text: string) => text,
  number: (text: string) => (/^\d+$/.test(text.trim()) ? Number(text) : text),
  rules: (text: string) => readList(text, ';'),
  yesNo: (text: string) => text,
  list: (text: string) => readList(text),
}
