import type { BunConn } from '../../../../tunnel/net/bun-conn.ts'
import { closeAfterWrite } from '../../../../tunnel/net/close-after-write.ts'
import type { Target } from '../../../../tunnel/session/frames/address.ts'
import { type ReplyCode, reply, unbound } from '../../../../tunnel/session/frames/reply.ts'
import type { Access } from '../../accounts/access.ts'
import type { Connect } from '../../outbound/connect.ts'
import { OutboundError } from '../../outbound/outbound.ts'
import type { Rejection } from '../rejection.ts'
import type { Associate } from './associate.ts'
import { type SocksClient, socksReply, socksServer } from './socks5.ts'

export interface SocksOptions {
  connect: Connect
  associate: Associate
  access: Access
  onRejected: (rejection: Rejection) => void
  /** The client's login was right, or none is needed, and it has said where it wants to go. */
  onAdmitted: () => void
  /** The client has said where it wants to go, or was refused. */
  onSettled: () => void
}

/** Serves a SOCKS5 client on this connection, which nobody owns: its greeting, its request, and what it asks for. */
export function socksConnect(conn: BunConn, options: SocksOptions): void {
  const { connect, associate, access, onRejected, onAdmitted, onSettled } = options
  const { take, gone } = socksServer({
    access,
    write: bytes => void conn.write(bytes),
    hold: held => (held ? conn.pause() : conn.resume()),
    connect(target, client, rest) {
      onSettled()
      onAdmitted()
      detach(rest)
      void serveConnect(conn, connect, target, client)
    },
    associate(from, client) {
      onSettled()
      onAdmitted()
      detach()
      void serveAssociate(conn, associate, from, client)
    },
    fail(rejection) {
      onSettled()
      onRejected(rejection)
      detach()
      closeAfterWrite(conn)
    },
  })
  const detach = conn.attach({
    data: take,
    end: () => conn.end(),
    drain() {},
    close() {
      gone()
      onSettled()
    },
  })
}

// --- internal ---

/** What the client says before it has its reply waits: nobody owns the connection meanwhile. */
async function serveConnect(
  conn: BunConn,
  connect: Connect,
  target: Target,
  client: SocksClient,
): Promise<void> {
  try {
    const connected = await connect(target, {
      ...client,
      protocol: 'socks5',
      signal: conn.gone,
      takesEarly: true,
    })
    conn.write(socksReply({ code: reply.succeeded, bound: connected.bound }))
    connected.carry(conn)
  } catch (error) {
    closeAfterWrite(conn, refusal(error))
  }
}

/** The association lives as long as the connection, on which nothing more is said (RFC 1928, section 7). */
async function serveAssociate(
  conn: BunConn,
  associate: Associate,
  from: Target,
  asking: SocksClient,
): Promise<void> {
  const detach = conn.attach({ data() {}, end: () => conn.end(), drain() {}, close() {} })
  const over = new AbortController()
  const { signal } = over
  conn.gone.addEventListener('abort', () => over.abort(conn.gone.reason))
  if (conn.gone.aborted) over.abort(conn.gone.reason)
  const finish = (bytes?: Uint8Array) => {
    if (signal.aborted) return
    over.abort()
    detach()
    closeAfterWrite(conn, bytes)
  }
  try {
    const { peerAddress: client, localAddress: local } = conn
    const bound = await associate({ ...asking, client, local, from, signal, giveUp: finish })
    conn.write(socksReply({ code: reply.succeeded, bound }))
  } catch (error) {
    finish(refusal(error))
  }
}

const refusal = (error: unknown) => {
  const code: ReplyCode = error instanceof OutboundError ? error.reply : reply.failure
  return socksReply({ code, bound: unbound })
}
