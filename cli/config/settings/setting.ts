import type * as v from 'valibot'

/** One thing that can be set: in the file, by an environment variable, by an option. */
export interface Setting<T> {
  /** What the file may hold. Environment and options give texts, which are read as `kind` says. */
  schema: v.GenericSchema<unknown, T>
  kind: 'text' | 'number' | 'list' | 'rules' | 'yesNo'
  default: T
  /** Option of the command line, and a second name for it. */
  flag: string
  flagAlias?: string
  /** A letter for it. */
  short?: string
  /** A second name for the key in the file. */
  keyAlias?: string
  /** Environment variables besides LAMBDA_NAT_PROXY_<SECTION>_<KEY>, which comes first. */
  environment?: string[]
  /** Stands for the value in --help. */
  valueHint: string
  /** For --help and the comments of a new file; a sentence without its full stop. */
  about: string
  /** What its --no-… does, where it is on by default. */
  aboutNot?: string
  /** A reload applies it to a running proxy. */
  live?: true
  /** What a new file shows, commented out, where there is no default to show. */
  example?: T
}

/** Keeps the type of the value. */
export function setting<T>(definition: Setting<T>): Setting<T> {
  return definition
}
