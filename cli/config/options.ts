import type { BooleanArgDef, StringArgDef } from 'citty'
import { entry, type Key } from './settings.ts'

/** The options of a command that give these settings, and the one that says which file has the rest. */
export function optionsFor(...keys: Key[]): Record<string, StringArgDef | BooleanArgDef> {
  return {
    ...Object.fromEntries(keys.map(key => [entry(key).flag, option(key)])),
    config: {
      type: 'string',
      valueHint: 'path',
      description: 'Configuration file (default: LAMBDA_NAT_PROXY_CONFIG, or what "config path" says)',
    },
  }
}

// --- internal ---

/** It has no default, as citty knows it: what is not given comes from elsewhere. */
function option(key: Key): StringArgDef | BooleanArgDef {
  const { kind, flag, flagAlias, valueHint, about, default: value } = entry(key)
  if (kind === 'yesNo')
    return { type: 'boolean', description: value ? `${about} (--no-${flag} for not)` : about }
  const shown = Array.isArray(value) ? value.join(',') : value
  return {
    type: 'string',
    valueHint,
    description: about + (shown === undefined || shown === '' ? '' : ` (default: ${shown})`),
    ...(flagAlias !== undefined && { alias: flagAlias }),
  }
}
