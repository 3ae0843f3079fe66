import type { Socket } from 'node:net'
import { CodedError } from '../tunnel/net/coded-error.ts'
import type { Conn } from '../tunnel/net/conn.ts'
import { NodeConn } from '../tunnel/net/node-conn.ts'
import { endLimit, startLimit, type TimeLimit } from '../tunnel/net/time-limit.ts'
import type { Target } from '../tunnel/session/frames/address.ts'
import { type RefusalReason, type ReplyCode, reply } from '../tunnel/session/frames/reply.ts'
import { exhausted } from './exhausted.ts'
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
  /** Limit for name and connection together in milliseconds, 10,000 by default. */
  limitMs?: number
}

export interface Dialled {
  /** When it is gone, a descriptor is free again. */
  conn: Conn
  /** The exit's own end of the connection. */
  bound: Target
}

/**
 * Connects to a target: resolves its name here, and where there are several addresses they race (happy
 * eyeballs, RFC 8305). Rejects with a DialError.
 */
export async function dial({ host, port }: Target, options: DialOptions): Promise<Dialled> {
  const { resolver, limitMs = 10_000 } = options
  if (port === 0) throw new DialError('E_DIAL_FAILED', reply.failure, 'port 0 is no port', 'invalid-target')
  const limit = new Limit(limitMs)
  try {
    return await connect(await limit.within(resolver.resolve(host)), host, port, limit)
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

type Addresses = Awaited<ReturnType<Resolver['resolve']>>

function connect(addresses: Addresses, host: string, port: number, limit: Limit): Promise<Dialled> {
  const conn = new NodeConn()
  const { socket } = conn
  const [first, ...others] = addresses
  // The addresses are settled: the runtime looks nothing up by itself.
  if (first && others.length === 0) socket.connect({ host: first.address, port })
  else
    socket.connect({
      host,
      port,
      autoSelectFamily: true,
      lookup: (_host, options, callback) => {
        if (options.all) callback(null, addresses)
        else callback(null, first!.address, first!.family)
      },
    })
  const connected = new Promise<Dialled>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('connect', () => resolve({ conn, bound: boundOf(socket) }))
  })
  return limit.within(connected, () => socket.destroy())
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

const boundOf = ({ localAddress = '0.0.0.0', localPort = 0 }: Socket): Target => ({
  host: localAddress,
  port: localPort,
})

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

/** The reply code for what went wrong; for a race of addresses, that of the first that failed. */
function replyOf(error: unknown): ReplyCode {
  if (error instanceof NotAllowedError) return reply.notAllowed
  const known = replies[String((error as NodeJS.ErrnoException).code)]
  if (known) return known
  return error instanceof AggregateError && error.errors.length > 0 ? replyOf(error.errors[0]) : reply.failure
}
