import { BunConn, connEvents } from '../../../tunnel/net/bun-conn.ts'
import type { Outbound } from './outbound.ts'
import { TargetError, type TargetErrorCode } from './target-errors.ts'

/** Name and connection together may take this long, as at an exit. Milliseconds. */
const limitMs = 10_000

/** From this machine straight to the target; names are resolved here. */
export const direct: Outbound = (target, { signal }) =>
  new Promise((resolve, reject) => {
    let over = false
    const end = (error?: TargetError) => {
      over = true
      clearTimeout(timer)
      signal.removeEventListener('abort', gone)
      if (error) reject(error)
    }
    const gone = () => {
      end()
      reject(signal.reason)
    }
    const timer = setTimeout(() => end(new TargetError('E_TARGET_TIMEOUT', target.host)), limitMs)
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
          if (over) return conn.abort(0)
          end()
          resolve({
            session: undefined,
            bound: { host: socket.localAddress, port: socket.localPort },
            conn,
          })
        },
      },
    }).catch(error => {
      const { code = '' } = error as NodeJS.ErrnoException
      if (!over) end(new TargetError(codes[code] ?? 'E_TARGET_NOT_FOUND', target.host))
    })
  })

// --- internal ---

/** What is not here is a name that does not resolve, in one way or another. */
const codes: Record<string, TargetErrorCode> = {
  ECONNREFUSED: 'E_TARGET_REFUSED',
  ENETUNREACH: 'E_TARGET_NETWORK_UNREACHABLE',
  EHOSTUNREACH: 'E_TARGET_UNREACHABLE',
  ETIMEDOUT: 'E_TARGET_TIMEOUT',
  EACCES: 'E_TARGET_FORBIDDEN',
  EPERM: 'E_TARGET_FORBIDDEN',
}
