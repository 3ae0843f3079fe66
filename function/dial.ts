import { CodedError } from '../tunnel/net/coded-error.ts'
import { endLimit, startLimit, type TimeLimit } from '../tunnel/net/time-limit.ts'
import type { Target } from '../tunnel/session/frames/address.ts'
import { type RefusalReason, type ReplyCode, reply } from '../tunnel/session/frames/reply.ts'
import { exhausted } from './exhausted.ts'
import type { Attempt, Connect, Outlet } from './outlet.ts'
import { race } from './race.ts'
import { NotAllowedError, type Resolver } from './resolve.ts'

/** A target could not be reached; `reply` is what SOCKS says of it. */
export class DialError extends CodedError<'E_DIAL_FAILED' | 'E_DIAL_TIMEOUT'> {
  override name = 'DialError'

  constructor(
    code: 'E_DIAL_FAILED' | 'E_DIAL_TIMEOUT',
    readonly reply: ReplyCode,
    message: string,
    readonly reason?: RefusalReason | undefined,
  ) {
    super(code, message)
  }
}

export interface DialOptions {
  resolver: Resolver
  connect: Connect
  /** Limit for name and connection together in milliseconds, 10,000 by default. */
  limitMs?: number
}

/** Connects to a target: resolves its name here, and lets its addresses race. Rejects with a DialError. */
export async function dial({ host, port }: Target, options: DialOptions): Promise<Outlet> {
  const { resolver, connect, limitMs = 10_000 } = options
  if (port === 0) throw new DialError('E_DIAL_FAILED', reply.failure, 'port 0 is no port', 'invalid-target')
  const limit = new Limit(limitMs)
  try {
    const addresses = await limit.within(resolver.resolve(host))
    return await connected(race(addresses, port, connect), limit)
  } catch (error) {
    if (limit.isOver)
      throw new DialError('E_DIAL_TIMEOUT', reply.ttlExpired, `no connection within ${limitMs / 1000} s`)
    const message = error instanceof Error ? error.message : String(error)
    throw new DialError('E_DIAL_FAILED', replyOf(error), message, reasonOf(error))
  } finally {
    limit.end()
  }
}

/** Why a target is refused, where the reply code alone does not say. */
export const reasonOf = (error: unknown): RefusalReason | undefined => {
  if (error instanceof NotAllowedError) return 'private-address'
  const code = String((error as NodeJS.ErrnoException).code)
  if (exhausted.has(code)) return 'no-room'
  return lookupFailures.has(code) ? 'name-not-found' : undefined
}

// --- internal ---

function connected(attempt: Attempt, limit: Limit): Promise<Outlet> {
  return limit.within(attempt.outlet, () => attempt.cancel())
}

/**
 * A limit for the steps of one work. (A signal of the runtime's stays until its time is over, with all that listens to
 * it: ten seconds for a dial of a millisecond.)
 */
class Limit {
  isOver = false
  #late = () => {}
  readonly #limit: TimeLimit

  constructor(ms: number) {
    this.#limit = startLimit(ms, () => {
      this.isOver = true
      this.#late()
    })
  }

  /** What the step gives. When the limit is over first it rejects, and `giveUp` is called. */
  within<T>(step: Promise<T>, giveUp = () => {}): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#late = () => {
        giveUp()
        reject(new Error('the time is over'))
      }
      if (this.isOver) this.#late()
      step.then(resolve, reject)
    })
  }

  end(): void {
    endLimit(this.#limit)
  }
}

const replies: Record<string, ReplyCode> = {
  ECONNREFUSED: reply.refused,
  ENETUNREACH: reply.networkUnreachable,
  ENETDOWN: reply.networkUnreachable,
  EHOSTUNREACH: reply.hostUnreachable,
  EHOSTDOWN: reply.hostUnreachable,
  EADDRNOTAVAIL: reply.networkUnreachable,
  ENOTFOUND: reply.hostUnreachable,
  EAI_AGAIN: reply.hostUnreachable,
  ENODATA: reply.hostUnreachable,
  ESERVFAIL: reply.hostUnreachable,
  ETIMEOUT: reply.hostUnreachable,
  ETIMEDOUT: reply.ttlExpired,
  EACCES: reply.notAllowed,
  EPERM: reply.notAllowed,
  EAFNOSUPPORT: reply.addressTypeNotSupported,
}

const lookupFailures = new Set(['ENOTFOUND', 'EAI_AGAIN', 'ENODATA', 'ESERVFAIL', 'ETIMEOUT'])

function replyOf(error: unknown): ReplyCode {
  if (error instanceof NotAllowedError) return reply.notAllowed
  return replies[String((error as NodeJS.ErrnoException).code)] ?? reply.failure
}
