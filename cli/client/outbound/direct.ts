import { BunConn, connEvents } from '../../../tunnel/net/bun-conn.ts'
import { type ReplyCode, reply } from '../../../tunnel/session/frames/reply.ts'
import { type Outbound, OutboundError } from './outbound.ts'
import { splice } from './splice.ts'

/** Name and connection together may take this long, as at an exit. Milliseconds. */
const limitMs = 10_000

/** From this machine straight to the target; names are resolved here. */
export const direct: Outbound = (target, { signal }) =>
  new Promise((resolve, reject) => {
    let over = false
    const end = (error?: OutboundError) => {
      over = true
      clearTimeout(timer)
      signal.removeEventListener('abort', gone)
      if (error) reject(error)
    }
    const gone = () => {
      end()
      reject(signal.reason)
    }
    const timer = setTimeout(
      () => end(new OutboundError('refused', reply.ttlExpired, `no connection within ${limitMs / 1000} s`)),
      limitMs,
    )
    signal.addEventListener('abort', gone)
    Bun.connect<BunConn>({
      hostname: target.host,
      port: target.port,
      allowHalfOpen: true,
      socket: {
        ...connEvents,
        open(socket) {
          const conn = new BunConn(socket)
          socket.data = conn
          if (over) return conn.abort()
          end()
          socket.setNoDelay(true)
          resolve({
            session: undefined,
            bound: { host: socket.localAddress, port: socket.localPort },
            carry: (client, options) => splice(client, conn, options),
          })
        },
      },
    }).catch(error => {
      const { code = '', message } = error as NodeJS.ErrnoException
      if (!over) end(new OutboundError('refused', replies[code] ?? reply.hostUnreachable, message))
    })
  })

// --- internal ---

/** What is not here is a name that does not resolve, in one way or another. */
const replies: Record<string, ReplyCode> = {
  ECONNREFUSED: reply.refused,
  ENETUNREACH: reply.networkUnreachable,
  ETIMEDOUT: reply.ttlExpired,
  EACCES: reply.notAllowed,
  EPERM: reply.notAllowed,
}
