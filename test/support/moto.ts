import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { needPip } from './need.ts'

export interface Moto {
  endpoint: string
  close(): Promise<void>
}

/** Somebody else's AWS, moto's server, on a free port of 127.0.0.1; undefined where it cannot be had. */
export async function startMoto(): Promise<Moto | undefined> {
  const python = needPip(['moto[server]'])
  if (!python) return undefined
  const server = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exit = once(server, 'exit')
  for await (const line of createInterface({ input: server.stderr })) {
    const endpoint = /Running on (http:\S+)/.exec(line)?.[1]
    if (!endpoint) continue
    server.stderr.resume()
    return {
      endpoint,
      async close() {
        server.kill()
        await exit
      },
    }
  }
  throw new Error('moto ended before it was ready')
}
