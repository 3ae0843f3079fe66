import { UsageError } from '../input/usage-error.ts'

/** Of the commands that reach a running proxy. */
export const proxyOption = {
  proxy: {
    type: 'string',
    valueHint: 'port',
    description: 'Port of the proxy that is meant, where several run',
  },
} as const

/** Throws a UsageError for what is no port. */
export function proxyPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65_535) return port
  throw new UsageError(`--proxy ${text} must be the port of a proxy that runs, a number from 1 to 65535`)
}
