import { errorData } from '../../../tunnel/net/coded-error.ts'
import { closeCodes } from '../../../tunnel/quic/close-codes.ts'
import { QuicError } from '../../../tunnel/quic/close-reason.ts'
import type { Target } from '../../../tunnel/session/frames/address.ts'
import { type RefusalReason, reply } from '../../../tunnel/session/frames/reply.ts'
import { ExitLostError, tunnelTo } from '../../../tunnel/session/open-stream.ts'
import { type Exits, NoExitError } from '../fleet/exits.ts'
import type { Session } from '../fleet/launch.ts'
import { type Outbound, type OutboundConn, OutboundError, type Requester } from './outbound.ts'
import { TargetError, targetErrorOf } from './target-errors.ts'

/** A connection waits this long for a session to come up. Milliseconds. */
const sessionLimitMs = 30_000
/** Nothing of the application's has been sent when an exit is lost over a connect, or is full: another may do it. */
const attempts = { lost: 2, full: 5 }

/** Through an exit; names are resolved there. */
export function tunnelOutbound(exits: Exits): Outbound {
  return async (target, requester) => {
    let full: unknown
    for (const tried = { lost: 0, full: 0 }; ; ) {
      try {
        return await through(exits, target, requester)
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
  { user, login, signal }: Requester,
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
  const answer = await tunnelTo(stream, { command: 'connect', target }, signal)
  if (answer.code === reply.succeeded)
    return {
      session: session.id,
      bound: answer.bound,
      conn: stream,
      brokenBy: () => (timeWasUp(session) ? 'deadline' : undefined),
      mayReuse: () => exits.mayReuse(session.id, target.host),
    }
  stream.abort(0)
  if (answer.reason !== noRoom) throw targetErrorOf(answer, target.host)
  exits.full(session.id)
  throw new TargetError('E_EXIT_FULL', target.host)
}

const noRoom: RefusalReason = 'no-room'
const isFull = (error: unknown) => error instanceof OutboundError && error.code === 'E_EXIT_FULL'

/** The function closes what is still open when its time is up, and says so. */
const timeWasUp = ({ connection }: Session) => connection.closeReason?.closeCode === closeCodes.deadline
