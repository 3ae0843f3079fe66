import { connect } from 'node:net'

const limitMs = 10_000
const againMs = 20

/** Waits until something listens on a port of the loopback address: for programs that do not tell. */
export async function reachable(port: number): Promise<void> {
  for (const until = performance.now() + limitMs; performance.now() < until; await Bun.sleep(againMs))
    if (await listens(port)) return
  throw new Error(`nothing listened on port ${port} within ${limitMs / 1000} s`)
}

const listens = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
