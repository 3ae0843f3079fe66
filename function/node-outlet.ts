import type { Cancellation } from '../tunnel/net/cancellation.ts'
import { NodeConn } from '../tunnel/net/node-conn.ts'
import type { QuicStream } from '../tunnel/quic/stream.ts'
import type { Target } from '../tunnel/session/frames/address.ts'
import { relay } from '../tunnel/session/relay.ts'
import type { Attempt, Outlet } from './outlet.ts'

/** Connects by node:net: every engine's streams can be joined with such a connection. */
export function connectByNode(address: string, port: number): Attempt {
  const conn = new NodeConn()
  const { socket } = conn
  const outlet = new Promise<Outlet>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('connect', () => resolve(new NodeOutlet(conn)))
  })
  socket.connect({ host: address, port })
  return { outlet, cancel: () => conn.abort(0) }
}

// --- internal ---

class NodeOutlet implements Outlet {
  readonly bound: Target
  readonly #conn: NodeConn

  constructor(conn: NodeConn) {
    const { localAddress = '0.0.0.0', localPort = 0 } = conn.socket
    this.bound = { host: localAddress, port: localPort }
    this.#conn = conn
  }

  get gone(): Cancellation {
    return this.#conn.gone
  }

  abort(): void {
    this.#conn.abort(0)
  }

  join(stream: QuicStream): void {
    relay(stream, this.#conn)
  }
}
