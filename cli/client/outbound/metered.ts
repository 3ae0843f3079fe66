import type { ErrorData } from '../../../tunnel/net/coded-error.ts'
import type { Target } from '../../../tunnel/session/frames/address.ts'
import { reply } from '../../../tunnel/session/frames/reply.ts'
import { type Lease, usedUp } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { Login } from '../accounts/login.ts'
import { type Outbound, type OutboundConn, OutboundError, type Requester } from './outbound.ts'

/** The same outbound, within what the requester's login may use. */
export function metered(outbound: Outbound, accounts: Accounts): Outbound {
  const within = async (target: Target, requester: Requester, login: Login): Promise<OutboundConn> => {
    const lease = leaseFor(accounts, login)
    try {
      const reached = await outbound(target, requester)
      // The quota was used up by others of the login while this one was on its way.
      if (lease.wasCut) {
        reached.confirmed?.catch(() => {})
        reached.conn.abort(0)
        throw limited(usedUp(login.user))
      }
      return {
        ...reached,
        conn: lease.meter(reached.conn),
        rest: giveUp => lease.rest(giveUp),
        brokenBy: () => (lease.wasCut ? 'quota' : reached.brokenBy?.()),
      }
    } catch (error) {
      lease.end()
      throw error
    }
  }
  return (target, requester) =>
    requester.login ? within(target, requester, requester.login) : outbound(target, requester)
}

/** A place for a connection of this login. Throws an OutboundError when it may have none. */
export function leaseFor(accounts: Accounts, login: Login, cut = () => {}): Lease {
  const lease = accounts.of(login).open(cut)
  if ('code' in lease) throw limited(lease)
  return lease
}

// --- internal ---

const limited = (why: ErrorData) => new OutboundError('limited', reply.notAllowed, why)
