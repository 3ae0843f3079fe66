import type { BunWire } from '../../../../tunnel/net/bun-conn.ts'
import { type ReplyCode, reply, unbound } from '../../../../tunnel/session/frames/reply.ts'
import { lastWords } from '../../outbound/close-after-write.ts'
import type { Connect } from '../../outbound/connect.ts'
import { RoadError } from '../../outbound/outbound.ts'
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

/** Serves a SOCKS5 client on this wire; its first bytes are still to come by `wire.onData`. */
export function socksConnect(wire: BunWire, options: SocksOptions): void {
  const { connect, associate, access, onRejected, onSettled } = options
  wire.onData = socksServer({
    access,
    write: bytes => void wire.write(bytes),
    async connect(target, user, rest) {
      const gone = new AbortController()
      onSettled()
      wire.pause()
      wire.onClose = () => gone.abort()
      try {
        const connected = await connect(target, { user, signal: gone.signal })
        wire.write(socksReply({ code: reply.succeeded, bound: connected.bound }))
        connected.carry(wire)
        wire.resume()
        if (rest.length > 0) wire.onData(rest)
      } catch (error) {
        if (!gone.signal.aborted) lastWords(wire, refusal(error))
      }
    },
    async associate(user) {
      const gone = new AbortController()
      onSettled()
      wire.onClose = () => gone.abort()
      // The association lives as long as this connection, on which nothing more is said.
      wire.onData = () => {}
      wire.onEnd = () => wire.end()
      try {
        const { peerAddress: client, localAddress: local } = wire
        const bound = await associate({ client, local, user, signal: gone.signal })
        wire.write(socksReply({ code: reply.succeeded, bound }))
      } catch (error) {
        gone.abort()
        lastWords(wire, refusal(error))
      }
    },
    fail(reason) {
      onSettled()
      onRejected(reason)
      lastWords(wire)
    },
  })
}

// --- internal ---

const refusal = (error: unknown) => {
  const code: ReplyCode = error instanceof RoadError ? error.reply : reply.failure
  return socksReply({ code, bound: unbound })
}
