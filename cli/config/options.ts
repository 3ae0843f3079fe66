import type { StringArgDef } from 'citty'
import { entry, type Key } from './settings.ts'

/** The options of a command that give these settings, and the one that says which file has the rest. */
export function optionsFor(...keys: Key[]): Record<string, StringArgDef> {
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
function option(key: Key): StringArgDef {
  const { flagAlias, valueHint, about, default: value } = entry(key)
  const shown = Array.isArray(value) ? value.join(',') : value
  return {
    type: 'string',
    valueHint,
    description: about + (shown === undefined || shown === '' ? '' : ` (default: ${shown})`),
    ...(flagAlias !== undefined && { alias: flagAlias }),
  }
}
