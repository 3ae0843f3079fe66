import { type LookupAddress, lookup } from 'node:dns'
import { isIP, type Socket } from 'node:net'
import type { Target } from '../tunnel/frames/address.ts'
import { type ReplyCode, reply } from '../tunnel/frames/reply.ts'
import type { Wire } from '../tunnel/relay.ts'
import { isPublicAddress } from './guard.ts'
import { dialWire } from './node-wire.ts'

/** A target could not be reached; `reply` is what SOCKS says of it. */
export class DialError extends Error {
  override name = 'DialError'
  constructor(
    readonly reply: ReplyCode,
    message: string,
  ) {
    super(message)
  }
}

export interface DialOptions {
  allowPrivate: boolean
  /** Limit for name and connection together in milliseconds, 10,000 by default. */
  limitMs?: number
}

export interface Dialled {
  wire: Wire
  /** The exit's own end of the connection. */
  bound: Target
}

/**
 * Connects to a target. Names are resolved here, each address that comes of it is checked, and where
 * there are several they race (happy eyeballs, RFC 8305). Rejects with a DialError.
 */
export function dial(target: Target, { allowPrivate, limitMs = 10_000 }: DialOptions): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    if (target.port === 0) return reject(new DialError(reply.failure, 'port 0 is no port'))
    const { wire, socket } = dialWire({
      host: target.host,
      port: target.port,
      autoSelectFamily: true,
      // Called for names; what it leaves out is never connected to, whatever a name resolves to later.
      lookup: (host, options, callback) =>
        lookup(host, { ...options, all: true }, (error, addresses) => {
          const allowed = error
            ? []
            : addresses.filter(({ address }) => allowPrivate || isPublicAddress(address))
          if (error || allowed.length > 0)
            return callback(error, options.all ? allowed : allowed[0]!.address, allowed[0]?.family)
          callback(notAllowed(host, addresses), [], 0)
        }),
    })
    if (isIP(target.host) && !allowPrivate && !isPublicAddress(target.host)) {
      socket.destroy()
      return reject(notAllowed(target.host, []))
    }
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new DialError(reply.ttlExpired, `no connection within ${limitMs / 1000} s`))
    }, limitMs)
    const failed = (error: Error) => {
      clearTimeout(timer)
      reject(error instanceof DialError ? error : new DialError(codeOf(error), error.message))
    }
    socket.once('error', failed)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', failed)
      // From here on an error closes the socket, and the close is what the relay acts on.
      socket.on('error', () => {})
      resolve({ wire, bound: boundOf(socket) })
    })
  })
}

// --- internal ---

const notAllowed = (host: string, addresses: LookupAddress[]) => {
  const list = addresses.map(({ address }) => address).join(', ') || host
  return new DialError(reply.notAllowed, `${list} is not a public address, and this exit reaches no other`)
}

const boundOf = ({ localAddress = '0.0.0.0', localPort = 0 }: Socket): Target => ({
  host: localAddress,
  port: localPort,
})

const codes: Record<string, ReplyCode> = {
  ECONNREFUSED: reply.refused,
  ENETUNREACH: reply.networkUnreachable,
  ENETDOWN: reply.networkUnreachable,
  EHOSTUNREACH: reply.hostUnreachable,
  EHOSTDOWN: reply.hostUnreachable,
  EADDRNOTAVAIL: reply.networkUnreachable,
  ENOTFOUND: reply.hostUnreachable,
  EAI_AGAIN: reply.hostUnreachable,
  ENODATA: reply.hostUnreachable,
  ETIMEDOUT: reply.ttlExpired,
  EACCES: reply.notAllowed,
  EPERM: reply.notAllowed,
  EAFNOSUPPORT: reply.addressTypeNotSupported,
}

/** The reply code for a system error; for a race of addresses, that of the first that failed. */
function codeOf(error: Error): ReplyCode {
  const { code } = error as NodeJS.ErrnoException
  const known = code && codes[code]
  if (known) return known
  const inner = error instanceof AggregateError ? error.errors.find(each => each instanceof Error) : undefined
  return inner ? codeOf(inner) : reply.failure
}
