import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below those that systems give out by themselves: until it is taken, no connection of anybody's begins there. */
const lowest = 20_000
const highest = 30_000

/** A port that nobody has, for TCP or UDP, at any address; for what cannot be told to take one and say which. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, highest)
    try {
      const server = createServer().listen(port)
      await once(server, 'listening')
      await new Promise(resolve => server.close(resolve))
      const socket = createSocket('udp4').bind(port)
      await once(socket, 'listening')
      await new Promise<void>(resolve => socket.close(resolve))
      return port
    } catch {
      // Somebody has it.
    }
  }
}
