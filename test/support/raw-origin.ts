import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

/** A web server that says what it is told to, byte for byte, and keeps what it was asked. */
export interface RawOrigin {
  port: number
  /** All that was received, a text a connection. */
  heard: string[]
  close(): Promise<void>
}

/** The answer to a connection that has said so much; undefined: not yet. Ends the connection if `end` is set. */
export type Answer = (heard: string, socket: Socket) => string | { say: string; end: boolean } | undefined

export async function rawOrigin(answer: Answer): Promise<RawOrigin> {
  const heard: string[] = []
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    const i = heard.push('') - 1
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('data', chunk => {
      heard[i] += chunk.toString('latin1')
      const given = answer(heard[i]!, socket)
      if (given === undefined) return
      const { say, end } = typeof given === 'string' ? { say: given, end: false } : given
      socket.write(say, 'latin1')
      if (end) socket.end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    heard,
    async close() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
