import { parseTurnCredentials, type TurnCredentials } from '../../tunnel/nat/turn/credentials.ts'
import { type RelaySource, relaySource } from '../../tunnel/nat/turn/source.ts'
import { parseTurnServers } from '../../tunnel/nat/turn/uri.ts'
import { readGivenText } from '../input/read-file.ts'
import { UsageError } from '../input/usage-error.ts'
import type { Config } from './load.ts'

/** Credentials from elsewhere than a file. */
const variable = 'LAMBDA_NAT_PROXY_TURN_AUTH'

export interface RelayOptions {
  /** From the command line. */
  auth?: string | undefined
  env?: Record<string, string | undefined>
}

/** The source of relayed addresses, where the configuration names a TURN server. Rejects with a UsageError. */
export async function relayOf(
  { values }: Pick<Config, 'values'>,
  { auth, env = process.env }: RelayOptions = {},
): Promise<RelaySource | undefined> {
  const path = values['proxy.path']
  const servers = parseTurnServers(values['proxy.turn'].join(','))
  if (path === 'direct') return undefined
  if (servers.length === 0) {
    if (path === 'auto') return undefined
    throw new UsageError('--path relay needs a TURN server: name one with --turn')
  }
  const inVariable = env[variable] ? { where: variable, text: env[variable] } : undefined
  const given = auth ? { where: '--turn-auth', text: auth } : inVariable
  const credentials = await credentialsOf(values['proxy.turn_auth_file'], given)
  const caFile = values['proxy.turn_ca']
  const ca = caFile === undefined ? undefined : await certificatesIn(caFile)
  return relaySource({ servers, credentials, ca }, path === 'relay')
}

// --- internal ---

/** Credentials as given, and where they stand, for a message. */
interface Given {
  where: string
  text: string
}

async function credentialsOf(file: string | undefined, given: Given | undefined): Promise<TurnCredentials> {
  if (file !== undefined && given)
    throw new UsageError(`TURN credentials are given twice: leave out --turn-auth-file, or ${given.where}`)
  const source = file === undefined ? given : await read('--turn-auth-file', file)
  if (!source) throw new UsageError(`--turn needs credentials: give --turn-auth-file, or set ${variable}`)
  try {
    return parseTurnCredentials(source.text)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new UsageError(`${source.where}: ${error.message}`)
  }
}

async function certificatesIn(file: string): Promise<string> {
  const { where, text } = await read('--turn-ca', file)
  if (!text.includes('-----BEGIN CERTIFICATE-----'))
    throw new UsageError(`${where} has no certificate in PEM`)
  return text
}

/** Credentials are a line, and a bundle of certificates some hundred kilobytes. */
const maxBytes = 4 * 1024 * 1024

async function read(option: string, file: string): Promise<Given> {
  const where = `${option} ${file}`
  return { where, text: (await readGivenText(file, { subject: where, maxBytes })).trim() }
}
