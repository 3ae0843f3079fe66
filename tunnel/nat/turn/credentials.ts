import { createHash, createHmac } from 'node:crypto'

/** What a TURN server wants to be shown: a login of its own, or what is made of a secret that it shares. */
export type TurnCredentials = { username: string; password: string } | { secret: string }

/** A username and its password, as they stand now. */
export interface TurnLogin {
  username: string
  password: string
}

/** What is made of a shared secret is good for so long: longer than any session. Seconds. */
const lifetimeSeconds = 3_600

/**
 * Time-limited credentials (draft-uberti-behave-turn-rest-00, section 2.2; coturn's `use-auth-secret`): the username is
 * the time at which they end, the password its HMAC-SHA1 under the secret. Those of a login are the login.
 */
export function loginOf(credentials: TurnCredentials, nowMs: number): TurnLogin {
  if (!('secret' in credentials)) return credentials
  const username = `${Math.floor(nowMs / 1000) + lifetimeSeconds}:lambda-nat-proxy`
  const password = createHmac('sha1', credentials.secret).update(username).digest('base64')
  return { username, password }
}

/** The key of MESSAGE-INTEGRITY under long-term credentials (RFC 8489, section 9.2.2). */
export const longTermKey = ({ username, password }: TurnLogin, realm: string): Buffer =>
  createHash('md5').update(`${username}:${realm}:${password}`).digest()

const secretPrefix = 'secret='

/**
 * Reads `user:password`, or `secret=` and what is shared with the server. Throws a RangeError that does not repeat it.
 */
export function parseTurnCredentials(text: string): TurnCredentials {
  if (text.startsWith(secretPrefix)) {
    const secret = text.slice(secretPrefix.length)
    if (secret === '') throw new RangeError('nothing stands behind secret=')
    return { secret }
  }
  const at = text.indexOf(':')
  const [username, password] = [text.slice(0, at), text.slice(at + 1)]
  if (at < 1 || password === '')
    throw new RangeError('credentials are user:password, or secret= and what is shared with the server')
  if (Buffer.byteLength(username) > 508) throw new RangeError('the user of the TURN login is too long')
  return { username, password }
}
