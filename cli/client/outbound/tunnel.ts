import { errorData } from '../../../tunnel/net/coded-error.ts'
import { closeCodes } from '../../../tunnel/quic/close-codes.ts'
import { QuicError } from '../../../tunnel/quic/close-reason.ts'
import { EarlyConn } from '../../../tunnel/session/early-conn.ts'
import type { Target } from '../../../tunnel/session/frames/address.ts'
import { type RefusalReason, type Reply, reply, unbound } from '../../../tunnel/session/frames/reply.ts'
import { ExitLostError, tunnelTo } from '../../../tunnel/session/open-stream.ts'
import { type Exits, NoExitError } from '../fleet/exits.ts'
import type { Session } from '../fleet/launch.ts'
import { type Outbound, type OutboundConn, OutboundError, type Requester } from './outbound.ts'
import { TargetError, targetErrorOf } from './target-errors.ts'

/** A connection waits this long for a session to come up. Milliseconds. */
const sessionLimitMs = 30_000
/** Nothing of the application's has been sent when an exit is lost over a connect, or is full: another may do it. */
const attempts = { lost: 2, full: 5 }

/**
 * Through an exit; names are resolved there. While `optimistic` says so, who takes it is given the connection before the
 * exit has replied; then no other exit is tried any more.
 */
export function tunnelOutbound(exits: Exits, optimistic: () => boolean = () => false): Outbound {
  return async (target, requester) => {
    let full: unknown
    for (const tried = { lost: 0, full: 0 }; ; ) {
      try {
        return await through(exits, target, requester, optimistic())
      } catch (error) {
        if (isFull(error)) {
          full = error
          if (++tried.full === attempts.full) throw error
        } else if (error instanceof ExitLostError || error instanceof QuicError) {
          if (++tried.lost === attempts.lost)
            throw new OutboundError('exit-lost', reply.failure, errorData(error))
        } else if (error instanceof OutboundError && error.kind === 'no-exit') {
          // None came up instead of the full one.
          throw full ?? error
        } else throw error
      }
    }
  }
}

// --- internal ---

async function through(
  exits: Exits,
  target: Target,
  { user, login, signal, takesEarly }: Requester,
  optimistic: boolean,
): Promise<OutboundConn> {
  const session = await exits
    .select({ host: target.host, user, regions: login?.limits.exits, signal }, sessionLimitMs)
    .catch((error: unknown) => {
      signal.throwIfAborted()
      if (error instanceof NoExitError && error.code === 'E_REGION_NOT_ALLOWED')
        throw new OutboundError('refused', reply.notAllowed, error)
      throw new OutboundError('no-exit', reply.failure, errorData(error))
    })
  signal.throwIfAborted()
  const stream = session.connection.open()
  const request = { command: 'connect', target } as const
  const about = {
    session: session.id,
    brokenBy: () => (timeWasUp(session) ? ('deadline' as const) : undefined),
    mayReuse: () => exits.mayReuse(session.id, target.host),
  }
  if (optimistic && takesEarly) {
    const conn = new EarlyConn(stream, request)
    return { ...about, bound: unbound, conn, confirmed: confirm(conn.reply, session, exits, target) }
  }
  const answer = await tunnelTo(stream, request, signal)
  if (answer.code === reply.succeeded) return { ...about, bound: answer.bound, conn: stream }
  stream.abort(0)
  throw refusal(answer, session, exits, target)
}

/** That the exit has reached the target; rejects with an OutboundError. */
async function confirm(
  answered: Promise<Reply>,
  session: Session,
  exits: Exits,
  target: Target,
): Promise<void> {
  const answer = await answered.catch((error: unknown) => {
    throw new OutboundError('exit-lost', reply.failure, errorData(error))
  })
  if (answer.code !== reply.succeeded) throw refusal(answer, session, exits, target)
}

/** What a refusal says; an exit that is full is told to be. */
function refusal(answer: Reply, session: Session, exits: Exits, { host }: Target): OutboundError {
  if (answer.reason !== noRoom) return targetErrorOf(answer, host)
  exits.full(session.id)
  return new TargetError('E_EXIT_FULL', host)
}

const noRoom: RefusalReason = 'no-room'
const isFull = (error: unknown) => error instanceof OutboundError && error.code === 'E_EXIT_FULL'

/** The function closes what is still open when its time is up, and says so. */
const timeWasUp = ({ connection }: Session) => connection.closeReason?.closeCode === closeCodes.deadline
