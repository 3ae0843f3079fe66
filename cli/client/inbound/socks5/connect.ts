import type { BunConn } from '../../../../tunnel/net/bun-conn.ts'
import { type ReplyCode, reply, unbound } from '../../../../tunnel/session/frames/reply.ts'
import { closeAfterWrite } from '../../outbound/close-after-write.ts'
import type { Connect } from '../../outbound/connect.ts'
import { OutboundError } from '../../outbound/outbound.ts'
import type { Access } from '../logins.ts'
import type { Associate } from './associate.ts'
import { socksReply, socksServer } from './socks5.ts'

export interface SocksOptions {
  connect: Connect
  associate: Associate
  access: Access
  onRejected: (reason: string) => void
  /** The client has said where it wants to go, or was refused. */
  onSettled: () => void
}

/** Serves a SOCKS5 client on this connection; its first bytes are still to come by `connection.onData`. */
export function socksConnect(conn: BunConn, options: SocksOptions): void {
  const { connect, associate, access, onRejected, onSettled } = options
  conn.onData = socksServer({
    access,
    write: bytes => void conn.write(bytes),
    async connect(target, user, rest) {
      const gone = new AbortController()
      onSettled()
      conn.pause()
      conn.onClose = () => gone.abort()
      try {
        const connected = await connect(target, { user, signal: gone.signal })
        conn.write(socksReply({ code: reply.succeeded, bound: connected.bound }))
        connected.carry(conn)
        conn.resume()
        if (rest.length > 0) conn.onData(rest)
      } catch (error) {
        if (!gone.signal.aborted) closeAfterWrite(conn, refusal(error))
      }
    },
    async associate(user) {
      const gone = new AbortController()
      onSettled()
      conn.onClose = () => gone.abort()
      // The association lives as long as this connection, on which nothing more is said.
      conn.onData = () => {}
      conn.onEnd = () => conn.end()
      try {
        const { peerAddress: client, localAddress: local } = conn
        const bound = await associate({ client, local, user, signal: gone.signal })
        conn.write(socksReply({ code: reply.succeeded, bound }))
      } catch (error) {
        gone.abort()
        closeAfterWrite(conn, refusal(error))
      }
    },
    fail(reason) {
      onSettled()
      onRejected(reason)
      closeAfterWrite(conn)
    },
  })
}

// --- internal ---

const refusal = (error: unknown) => {
  const code: ReplyCode = error instanceof OutboundError ? error.reply : reply.failure
  return socksReply({ code, bound: unbound })
}
