import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { systemReason } from '../../input/system-error.ts'
import { UsageError } from '../../input/usage-error.ts'

export interface Login {
  user: string
  password: string
}

/** Who may use a listener. */
export interface Access {
  /** Nobody gets in without a login. */
  readonly required: boolean
  /** Whether this user name, parameters and all, may use it with this password. */
  admits(user: string, password: string): boolean
}

export interface LoginSources {
  /** `user:password`, one or a list with commas: --auth, once or several times. */
  auth?: string | readonly string[] | undefined
  /** A file with a `user:password` a line; `#` begins a comment line. */
  file?: string | undefined
  /** Where LAMBDA_NAT_PROXY_AUTH is looked for: the process's own by default. */
  environment?: Record<string, string | undefined>
}

/** All logins that are given, from wherever. Throws a UsageError, which never shows a password. */
export function readLogins({ auth = [], file, environment = process.env }: LoginSources): Login[] {
  const variable = 'LAMBDA_NAT_PROXY_AUTH'
  const logins = [
    ...[auth].flat().flatMap(list => parseList('--auth', list)),
    ...parseList(variable, environment[variable] ?? ''),
    ...(file === undefined ? [] : readFile(file)),
  ]
  const twice = logins.find(({ user }, i) => logins.findIndex(each => each.user === user) !== i)
  if (twice) throw new UsageError(`the login ${twice.user} is given twice: leave one of them out`)
  return logins
}

/** Access for these logins; without any, everybody gets in under whatever name. */
export function accessFor(logins: readonly Login[]): Access {
  // Of digests under a key of our own, a comparison tells nothing, not even lengths.
  const key = randomBytes(32)
  const digest = (text: string) => createHmac('sha256', key).update(text).digest()
  const known = logins.map(({ user, password }) => [digest(user), digest(password)] as const)
  return {
    required: known.length > 0,
    admits(user, password) {
      const given = [digest(loginName(user)), digest(password)] as const
      let admitted = known.length === 0
      // Every login is compared in full, so that the time it takes does not say which users there are.
      for (const [name, secret] of known) {
        const sameUser = timingSafeEqual(name, given[0])
        const samePassword = timingSafeEqual(secret, given[1])
        if (sameUser && samePassword) admitted = true
      }
      return admitted
    },
  }
}

/** The name of the login in a user name with parameters: `alice` in `alice-region-eu-west-1-session-abc`. */
export const loginName = (user: string): string => user.replace(parameters, '')

// --- internal ---

const parameters = /(?:^|-)(?:region|session)-.*$/s

const parseList = (where: string, list: string): Login[] =>
  list
    .split(',')
    .filter(text => text.trim() !== '')
    .map(text => parseLogin(where, text.trim()))

function readFile(path: string): Login[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`--auth-file ${path} cannot be read: ${systemReason(error)}`)
  }
  const logins = text.split(/\r?\n/).flatMap((line, i) => {
    const content = line.trim()
    return content === '' || content.startsWith('#') ? [] : [parseLogin(`${path}, line ${i + 1}`, content)]
  })
  // Who names a file wants a login to be needed.
  if (logins.length === 0)
    throw new UsageError(`--auth-file ${path} contains no login: write user:password on a line`)
  return logins
}

function parseLogin(where: string, text: string): Login {
  const colon = text.indexOf(':')
  if (colon < 0) throw new UsageError(`${where}: missing colon: write a login as user:password`)
  const user = text.slice(0, colon)
  const password = text.slice(colon + 1)
  // RFC 1929, section 2: each has one byte for its length.
  for (const [what, value] of [
    ['user name', user],
    ['password', password],
  ] as const)
    if (value === '' || Buffer.byteLength(value) > 255)
      throw new UsageError(`${where}: the ${what} must have 1 to 255 bytes`)
  if (loginName(user) !== user)
    throw new UsageError(
      `${where}: a user name cannot contain -region- or -session-: clients add these to it`,
    )
  return { user, password }
}
