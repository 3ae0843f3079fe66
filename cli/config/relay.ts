import { readFileSync } from 'node:fs'
import { parseTurnCredentials, type TurnCredentials } from '../../tunnel/nat/turn/credentials.ts'
import { type RelaySource, relaySource } from '../../tunnel/nat/turn/source.ts'
import { parseTurnServers } from '../../tunnel/nat/turn/uri.ts'
import { systemReason } from '../input/system-error.ts'
import { UsageError } from '../input/usage-error.ts'
import type { Config } from './load.ts'

/** Credentials from elsewhere than a file. */
const variable = 'LAMBDA_NAT_PROXY_TURN_AUTH'

export interface RelayOptions {
  /** From the command line. */
  auth?: string | undefined
  env?: Record<string, string | undefined>
}

/** What lends sessions an address, where the configuration names a TURN server. Throws a UsageError. */
export function relayOf(
  { values }: Pick<Config, 'values'>,
  { auth, env = process.env }: RelayOptions = {},
): RelaySource | undefined {
  const path = values['proxy.path']
  const servers = parseTurnServers(values['proxy.turn'].join(','))
  if (path === 'direct') return undefined
  if (servers.length === 0) {
    if (path === 'auto') return undefined
    throw new UsageError('--path relay needs a TURN server: name one with --turn')
  }
  const credentials = credentialsOf(values['proxy.turn_auth_file'], auth ?? env[variable])
  const caFile = values['proxy.turn_ca']
  const ca = caFile === undefined ? undefined : certificatesIn(caFile)
  return relaySource({ servers, credentials, ca }, path === 'relay')
}

// --- internal ---

function credentialsOf(file: string | undefined, given: string | undefined): TurnCredentials {
  if (file === undefined && !given)
    throw new UsageError(`--turn needs credentials: give --turn-auth-file, or set ${variable}`)
  if (file !== undefined && given)
    throw new UsageError(`TURN credentials are given twice: leave out --turn-auth-file, or the others`)
  try {
    return parseTurnCredentials(file === undefined ? given! : read(file).trim())
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new UsageError(`${file ?? 'the TURN credentials'}: ${error.message}`)
  }
}

function certificatesIn(file: string): string {
  const text = read(file)
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new UsageError(`${file} has no certificate in PEM`)
  return text
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${systemReason(error)}`)
  }
}
