import { maxNameLength, maxSiteLength } from '../control/operations.ts'
import { UsageError } from '../input/usage-error.ts'
import { readWhole } from '../input/whole-number.ts'

/** Of the commands that reach a running proxy. */
export const proxyOption = {
  proxy: {
    type: 'string',
    valueHint: 'port',
    description: 'Port of the proxy to talk to, where several run',
  },
} as const

/** Throws a UsageError for what is no port. */
export function proxyPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = readWhole(text, 1, 65_535)
  if (port !== undefined) return port
  throw new UsageError(`--proxy ${text} must be the port of a running proxy, a number from 1 to 65535`)
}

/** What a running proxy is asked about: an exit, a region, a site. Throws a UsageError for what can be the name of none. */
export function nameIn(text: string, where: string, max = maxNameLength): string {
  if (text.length <= max) return text
  throw new UsageError(`${where} has ${text.length} characters: ${max} are allowed`)
}

/** A site as people write it. Throws as `nameIn`. */
export const siteIn = (text: string, where: string): string => nameIn(text, where, maxSiteLength)
