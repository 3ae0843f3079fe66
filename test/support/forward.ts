import { createServer, type Socket } from 'node:net'
import { socksConnect } from './socks-client.ts'

/** A port of 127.0.0.1 that leads through the proxy to a target: for clients that know no SOCKS. */
export interface Forward {
  port: number
  close(): void
}

export function forward(proxy: number, host: string, port: number): Promise<Forward> {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, async socket => {
    open.add(socket.on('error', () => {}))
    try {
      const far = await socksConnect({ proxy, host, port })
      open.add(far)
      socket.pipe(far)
      far.pipe(socket)
    } catch {
      socket.destroy()
    }
  })
  return new Promise(resolve =>
    server.listen(0, '127.0.0.1', () =>
      resolve({
        port: (server.address() as { port: number }).port,
        close() {
          server.close()
          for (const socket of open) socket.destroy()
        },
      }),
    ),
  )
}
