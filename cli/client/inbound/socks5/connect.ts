import type { BunConn } from '../../../../tunnel/net/bun-conn.ts'
import { closeAfterWrite } from '../../../../tunnel/net/close-after-write.ts'
import type { ConnHandlers, Detach } from '../../../../tunnel/net/conn.ts'
import type { Target } from '../../../../tunnel/session/frames/address.ts'
import { type ReplyCode, reply, unbound } from '../../../../tunnel/session/frames/reply.ts'
import type { Access } from '../../accounts/access.ts'
import type { Connect } from '../../outbound/connect.ts'
import { OutboundError } from '../../outbound/outbound.ts'
import type { Rejection } from '../rejection.ts'
import type { Associate } from './associate.ts'
import { type SocksClient, type SocksHandler, SocksServer, socksReply } from './socks5.ts'

export interface SocksOptions {
  connect: Connect
  associate: Associate
  access: Access
}

/** Who hears how far a client has come. */
export interface SocksCaller {
  /** The client has said where it wants to go, or was refused, or is gone. */
  settled(): void
  /** Its login was right, or none is needed, and it has said where it wants to go. */
  admitted(): void
  rejected(rejection: Rejection): void
}

/** Serves a SOCKS5 client on a connection that nobody owns: its greeting, its request, and what it asks for. */
export class SocksConnection implements SocksHandler, ConnHandlers {
  readonly access: Access
  readonly #conn: BunConn
  readonly #options: SocksOptions
  readonly #caller: SocksCaller
  readonly #server: SocksServer
  readonly #detach: Detach

  constructor(conn: BunConn, options: SocksOptions, caller: SocksCaller) {
    this.access = options.access
    this.#conn = conn
    this.#options = options
    this.#caller = caller
    this.#server = new SocksServer(this)
    this.#detach = conn.attach(this)
  }

  // --- what the connection tells ---

  data(chunk: Uint8Array): void {
    this.#server.take(chunk)
  }

  end(): void {
    this.#conn.end()
  }

  drain(): void {}

  close(): void {
    this.#server.gone()
    this.#caller.settled()
  }

  // --- what is read from it ---

  write(bytes: Uint8Array): void {
    this.#conn.write(bytes)
  }

  hold(held: boolean): void {
    if (held) this.#conn.pause()
    else this.#conn.resume()
  }

  connect(target: Target, client: SocksClient, rest: Uint8Array): void {
    this.#caller.settled()
    this.#caller.admitted()
    this.#detach(rest)
    void serveConnect(this.#conn, this.#options.connect, target, client)
  }

  associate(from: Target, client: SocksClient): void {
    this.#caller.settled()
    this.#caller.admitted()
    this.#detach()
    void serveAssociate(this.#conn, this.#options.associate, from, client)
  }

  fail(rejection: Rejection): void {
    this.#caller.settled()
    this.#caller.rejected(rejection)
    this.#detach()
    closeAfterWrite(this.#conn)
  }
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
