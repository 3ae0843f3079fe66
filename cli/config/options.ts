import type { BooleanArgDef, StringArgDef } from 'citty'
import { entry, type Key } from './settings.ts'

/** An option, and under which heading help shows it. */
export type Option = (StringArgDef | BooleanArgDef) & { group?: string }

/** The options of a command that give these settings, and the one that says which file has the rest. */
export function optionsFor(...keys: Key[]): Record<string, Option> {
  return {
    ...Object.fromEntries(keys.map(key => [entry(key).flag, option(key)])),
    config: {
      type: 'string',
      valueHint: 'path',
      description: 'Configuration file (default: LAMBDA_NAT_PROXY_CONFIG, or what "config path" prints)',
    },
  }
}

// --- internal ---

/** Headings of help, by section of the file. */
const groups: Record<string, string> = {
  aws: 'AWS',
  deployment: 'Deployment',
  proxy: 'Proxy',
  fleet: 'Exits',
  audit: 'Audit',
  dashboard: 'Dashboard',
}

/** Without a default for citty: a value that is not given comes from the environment or the file. */
function option(key: Key): Option {
  const { kind, short, flagAlias, valueHint, about, aboutNot, default: value } = entry(key)
  const group = groups[key.slice(0, key.indexOf('.'))]!
  const alias = [short, flagAlias].filter(name => name !== undefined)
  if (kind === 'yesNo')
    return {
      type: 'boolean',
      group,
      description: about,
      ...(aboutNot !== undefined && { negativeDescription: aboutNot }),
    }
  const shown = Array.isArray(value) ? value.join(', ') : value
  return {
    type: 'string',
    group,
    valueHint,
    description: about + (shown === undefined || shown === '' ? '' : ` (default: ${shown})`),
    ...(alias.length > 0 && { alias }),
  }
}
