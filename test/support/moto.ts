import { startServer } from '../lab/running.ts'
import { needPip } from './need.ts'
import { patient } from './patience.ts'

export interface Moto {
  endpoint: string
  close(): Promise<void>
}

/** Somebody else's AWS, moto's server, on a free port of 127.0.0.1; undefined where it cannot be had. */
export async function startMoto(): Promise<Moto | undefined> {
  const python = needPip(['moto[server]'])
  if (!python) return undefined
  // It takes a while to load all of its AWS.
  const server = await startServer(
    [python, '-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'],
    [/Running on (http:\S+)/],
    patient(60_000),
  )
  return {
    endpoint: server.words[0]![1]!,
    async close() {
      await server.stop()
    },
  }
}
