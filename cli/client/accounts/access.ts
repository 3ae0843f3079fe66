import { isDeepStrictEqual } from 'node:util'
import { type Login, loginName } from './login.ts'
import { decoyOf, type Hash } from './password-hash.ts'
import { Verifier } from './verifier.ts'

/** An admitted client; `login` is its login, where one is needed. */
export interface Admission {
  login?: Login | undefined
}

/** Who may use a listener. */
export interface Access {
  /** Whether a login is needed. */
  readonly required: boolean
  /** Lets this user name, parameters and all, in with this password; undefined: it does not. */
  admit(user: string, password: string): Promise<Admission | undefined>
}

/**
 * The logins of a listener, which can be replaced while connections are open. Without any, everybody gets in under
 * whatever name.
 */
export class LoginTable implements Access {
  readonly #verifier: Verifier
  #logins = new Map<string, Login>()
  /** Checked where there is no login of that name. */
  #decoy: Hash | undefined

  constructor(logins: readonly Login[], verifier = new Verifier()) {
    this.#verifier = verifier
    this.replace(logins)
  }

  /** From now on these get in, and only these; connections that are open stay. */
  replace(logins: readonly Login[]): void {
    this.#logins = new Map(logins.map(login => [this.#keyOf(login.user), login]))
    const hashed = logins.map(({ secret }) => secret).find(secret => secret.kind !== 'plain')
    this.#decoy = hashed && decoyOf(hashed)
  }

  get required(): boolean {
    return this.#logins.size > 0
  }

  async admit(user: string, password: string): Promise<Admission | undefined> {
    if (!this.required) return {}
    const key = this.#keyOf(loginName(user))
    const login = this.#logins.get(key)
    if (login && (await this.#verifier.verify(login.secret, password))) {
      // It may have been taken out, or changed, meanwhile.
      const current = this.#logins.get(key)
      return current && isDeepStrictEqual(current.secret, login.secret) ? { login: current } : undefined
    }
    // The time that it takes does not say which users there are.
    if (this.#decoy && (!login || login.secret.kind === 'plain'))
      await this.#verifier.verify(this.#decoy, password)
    return undefined
  }

  #keyOf(user: string): string {
    return this.#verifier.digest(user).toString('base64')
  }
}
