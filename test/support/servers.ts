import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { content } from '../lab/content.ts'

// What stands at the far end of the tunnel.

export interface Target {
  port: number
  close(): Promise<void>
}

/** A TCP server of this machine; what it does with a connection is the test's to say. */
export async function tcpServer(
  serve: (socket: Socket) => void,
  host = '127.0.0.1',
  port = 0,
): Promise<Target> {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    serve(socket)
  })
  server.listen({ port, host, backlog: 1_024 })
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise(resolve => server.close(resolve))
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}

/** A web server: GET /bytes/N gives N bytes of `content`, POST gives the body's SHA-256, and /echo is a WebSocket. */
export function webServer(): Target {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 60,
    maxRequestBodySize: 1024 ** 3,
    async fetch(request, server) {
      const { pathname } = new URL(request.url)
      if (pathname === '/echo' && server.upgrade(request)) return
      if (request.method !== 'GET') return new Response(await digest(request.body))
      return new Response(new Uint8Array(content(Number(/^\/bytes\/(\d+)$/.exec(pathname)?.[1] ?? 0))))
    },
    websocket: {
      message: (socket, message) => void socket.send(message),
    },
  })
  return { port: server.port!, close: () => server.stop(true) }
}

// --- internal ---

async function digest(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const hash = createHash('sha256')
  if (body) for await (const chunk of body) hash.update(chunk)
  return hash.digest('hex')
}
