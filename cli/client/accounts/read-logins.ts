import { UsageError } from '../../input/usage-error.ts'
import { sameLimits } from './limits.ts'
import { type Login, makeLogin } from './login.ts'
import { readLoginFile } from './login-file.ts'

export interface LoginSources {
  /** `user:password`, one or a list with commas. */
  auth?: string | undefined
  /** A file of logins: see `parseLoginFile`. */
  file?: string | undefined
  /** Where LAMBDA_NAT_PROXY_AUTH is looked for: the process's own by default. */
  environment?: Record<string, string | undefined>
}

/** All logins that are given, from wherever. Rejects with a UsageError, which never shows a password. */
export async function readLogins({
  auth = '',
  file,
  environment = process.env,
}: LoginSources): Promise<Login[]> {
  const variable = 'LAMBDA_NAT_PROXY_AUTH'
  const logins = [
    ...parseList('--auth', auth),
    ...parseList(variable, environment[variable] ?? ''),
    ...(file === undefined ? [] : await readLoginFile(file)),
  ]
  const known = new Set<string>()
  for (const { user } of logins) {
    if (known.has(user)) throw new UsageError(`the login ${user} is given twice: leave one of them out`)
    known.add(user)
  }
  return logins
}

/** Throws a UsageError where logins of one name, which are one account, may use more in one file than in another. */
export function mustAgree(logins: readonly Login[]): void {
  const known = new Map<string, Login>()
  for (const login of logins) {
    const { limits } = known.get(login.user) ?? login
    if (!sameLimits(limits, login.limits))
      throw new UsageError(
        `the login ${login.user} has other limits in one file than in another: it is one account, so give it the same quota, rate and connections`,
      )
    known.set(login.user, login)
  }
}

// --- internal ---

const parseList = (where: string, list: string): Login[] =>
  list
    // A hash has commas of its own.
    .split(/,(?![tp]=\d)/)
    .filter(text => text.trim() !== '')
    .map(text => parseLogin(where, text.trim()))

function parseLogin(where: string, text: string): Login {
  const colon = text.indexOf(':')
  if (colon < 0) throw new UsageError(`${where}: missing colon: write a login as user:password`)
  return makeLogin(where, text.slice(0, colon), text.slice(colon + 1))
}
