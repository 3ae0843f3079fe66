import { BunWire, wireEvents } from '../../../tunnel/net/bun-conn.ts'
import { type ReplyCode, reply } from '../../../tunnel/session/frames/reply.ts'
import { type Road, RoadError } from './outbound.ts'
import { splice } from './splice.ts'

/** Name and connection together may take this long, as at an exit. Milliseconds. */
const limitMs = 10_000

/** From this machine straight to the target; names are resolved here. */
export const direct: Road = (target, { signal }) =>
  new Promise((resolve, reject) => {
    let over = false
    const end = (error?: RoadError) => {
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
      () => end(new RoadError('refused', reply.ttlExpired, `no connection within ${limitMs / 1000} s`)),
      limitMs,
    )
    signal.addEventListener('abort', gone)
    Bun.connect<BunWire>({
      hostname: target.host,
      port: target.port,
      allowHalfOpen: true,
      socket: {
        ...wireEvents,
        open(socket) {
          const wire = new BunWire(socket)
          socket.data = wire
          if (over) return wire.abort()
          end()
          socket.setNoDelay(true)
          resolve({
            session: undefined,
            bound: { host: socket.localAddress, port: socket.localPort },
            carry: (client, options) => splice(client, wire, options),
          })
        },
      },
    }).catch(error => {
      const { code = '', message } = error as NodeJS.ErrnoException
      if (!over) end(new RoadError('refused', replies[code] ?? reply.hostUnreachable, message))
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
