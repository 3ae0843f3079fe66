import { UsageError } from '../../input/usage-error.ts'
import type { Limits } from './limits.ts'
import { type Hash, parseHash } from './password-hash.ts'

/** What a login is proved with: a password as it is written, or the hash of one. */
export type Secret = { kind: 'plain'; password: string } | Hash

export interface Login {
  user: string
  secret: Secret
  limits: Limits
}

/** The name of the login in a user name with parameters: `alice` in `alice-region-eu-west-1-session-abc`. */
export const loginName = (user: string): string => user.replace(parameters, '')

/** RFC 1929, section 2: each of user name and password has one byte for its length. */
export const maxBytes = 255

/**
 * Checks the parts of a login. `where` says for the message where they stand; a password is never shown. Throws a
 * UsageError.
 */
export function makeLogin(where: string, user: string, password: string, limits: Limits = {}): Login {
  checkUser(where, user)
  const hash = parseHash(where, password)
  if (hash) return { user, secret: hash, limits }
  checkLength(where, 'password', password)
  return { user, secret: { kind: 'plain', password }, limits }
}

/** Throws a UsageError for what cannot be the name of a login. */
export function checkUser(where: string, user: string): void {
  checkLength(where, 'user name', user)
  if (loginName(user) !== user)
    throw new UsageError(
      `${where}: a user name cannot contain -region- or -session-: clients add these to it`,
    )
  if (/[:\p{Cc}]/u.test(user))
    throw new UsageError(`${where}: a user name cannot contain colons or control characters`)
}

/** Throws a UsageError for a user name or password that is empty or too long. */
export function checkLength(where: string, what: 'user name' | 'password', text: string): void {
  if (text === '' || Buffer.byteLength(text) > maxBytes)
    throw new UsageError(`${where}: the ${what} must have 1 to ${maxBytes} bytes`)
}

// --- internal ---

const parameters = /(?:^|-)(?:region|session)-.*$/s
