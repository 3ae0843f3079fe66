import { randomBytes } from 'node:crypto'
import { UsageError } from '../../input/usage-error.ts'

/** A hash in the PHC string format (argon2id), or in that of crypt (bcrypt). */
export interface Hash {
  kind: 'argon2id' | 'bcrypt'
  hash: string
}

/** What a new hash costs: OWASP's least for argon2id, so that a server with little memory can check it. */
const newHash = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const

/** What checking a hash may cost at most: KiB and passes, and bcrypt's logarithm of rounds. */
const max = { memory: 262_144, passes: 16, rounds: 14 }

/** Hashes a password beside the event loop. */
export const hashPassword = async (password: string): Promise<Hash> => ({
  kind: 'argon2id',
  hash: await Bun.password.hash(password, newHash),
})

/** Whether a password is the one that was hashed; computed beside the event loop. */
export const isHashOf = async (hash: string, password: string): Promise<boolean> =>
  password !== '' && (await Bun.password.verify(password, hash))

/**
 * The hash that a text is; undefined for any other text, which is a password. Throws a UsageError for a hash that
 * cannot be checked, or costs more than a login may.
 */
export function parseHash(where: string, text: string): Hash | undefined {
  const argon = argonShape.exec(text)
  if (argon) {
    const [, memory, passes, lanes] = argon.map(Number)
    // RFC 9106, section 3.1.
    if (passes! < 1 || lanes! < 1 || memory! < 8 * lanes!) throw noHash(where)
    if (memory! > max.memory || passes! > max.passes) throw tooDear(where)
    return { kind: 'argon2id', hash: text }
  }
  const bcrypt = bcryptShape.exec(text)
  if (bcrypt) {
    if (Number(bcrypt[1]) < 4) throw noHash(where)
    if (Number(bcrypt[1]) > max.rounds) throw tooDear(where)
    return { kind: 'bcrypt', hash: text }
  }
  if (otherShape.test(text))
    throw new UsageError(
      `${where}: this kind of hash is not known: argon2id and bcrypt are ("login add", or htpasswd -B)`,
    )
  return undefined
}

/** A hash of nothing that takes as long to check as this one: who has no login waits like who has one. */
export function decoyOf({ kind, hash }: Hash): Hash {
  if (kind === 'bcrypt') {
    const digits = [...randomBytes(53)].map(byte => bcryptDigits[byte % 64]).join('')
    // The last digits of salt and hash have bits that must be zero.
    return { kind, hash: `${hash.slice(0, 7)}${digits.slice(0, 21)}.${digits.slice(22, 52)}.` }
  }
  const parts = hash.split('$')
  const filler = (text: string) =>
    randomBytes(text.length)
      .toString('base64')
      .slice(0, text.length - 1)
  return {
    kind,
    hash: [...parts.slice(0, 4), ...parts.slice(4).map(part => `${filler(part)}A`)].join('$'),
  }
}

// --- internal ---

const base64 = '[A-Za-z0-9+/]'
const argonShape = new RegExp(
  `^\\$argon2id\\$v=19\\$m=(\\d{1,9}),t=(\\d{1,9}),p=(\\d{1,3})\\$${base64}{11,86}\\$${base64}{16,86}$`,
)
const bcryptShape = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/
/** MD5 of Apache and crypt, SHA crypt, other argon2 and scrypt: a password that looks like one is hardly meant. */
const otherShape =
  /^(?:\$(?:apr1|1|5|6|y|7|argon2i|argon2d|scrypt)\$[^\s]{20,}|\{SSHA\}[A-Za-z0-9+/=]{28,}|\{SHA\}[A-Za-z0-9+/]{27}=)$/
const bcryptDigits = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

const noHash = (where: string) =>
  new UsageError(`${where}: this hash cannot be checked: make another with "login add"`)

const tooDear = (where: string) =>
  new UsageError(`${where}: this hash takes too much time or memory to check: make another with "login add"`)
