import { setTimeout as sleep } from 'node:timers/promises'
import type { Access } from '../client/accounts/access.ts'
import { readBasic } from '../client/accounts/basic.ts'
import { Guesses } from '../client/inbound/guesses.ts'
import { type Rejection, throttled, withHint } from '../client/inbound/rejection.ts'
import { sourceOf } from '../client/inbound/source.ts'
import type { Events } from '../client/stats/events.ts'
import { UsageError } from '../input/usage-error.ts'

/** Anybody could use the page. */
export class OpenDashboardError extends UsageError<'E_OPEN_DASHBOARD'> {
  override readonly name = 'OpenDashboardError'

  constructor(host: string) {
    super(`the dashboard on ${host} can be reached from other machines, and needs no login`, {
      code: 'E_OPEN_DASHBOARD',
    })
  }
}

/** Undefined: the request may go on. Else what it is answered. */
export type CheckLogin = (request: Request, peerAddress: string) => Promise<Response | undefined>

/** Asks for a login (HTTP Basic, RFC 7617); wrong passwords are slowed down as they are at the proxy's ports. */
export function pageLogin(access: Access, host: string, events: Events): CheckLogin {
  const guesses = new Guesses()
  const tell = (rejection: Rejection) =>
    events.emit({ type: 'client.rejected', protocol: 'http', ...withHint(rejection) })
  return async ({ headers, signal }, peerAddress) => {
    const source = sourceOf(peerAddress, () => host)
    const attempt = guesses.attempt(source.name)
    if (!attempt) {
      tell(throttled(source))
      return new Response(`Too many wrong passwords came from ${source.name}: try again in ten seconds.\n`, {
        status: 429,
        headers: { 'retry-after': '10' },
      })
    }
    try {
      if (attempt.waitMs > 0) await sleep(attempt.waitMs, undefined, { signal }).catch(() => {})
      // The client has left: its password is not checked, and nobody reads this.
      if (signal.aborted) return new Response(undefined, { status: 408 })
      const login = readBasic(headers.get('authorization'))
      if (await attempt.guard(access).admit(login?.user ?? '', login?.password ?? '')) return undefined
      // A request without a login has not been asked for one yet.
      if (login) tell({ code: 'E_LOGIN_WRONG', message: 'wrong user name or password for the dashboard' })
      return new Response('This page needs a user name and password.\n', {
        status: 401,
        headers: { 'www-authenticate': 'Basic realm="lambda-nat-proxy dashboard", charset="UTF-8"' },
      })
    } finally {
      attempt.end()
    }
  }
}
