import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '../support/free-port.ts'

/** Debian's coturn as a plain STUN server on this machine's own address; it keeps its files to `folder`. */
export async function startCoturn(folder: string): Promise<{ address: string; close(): Promise<void> }> {
  const port = await freePort()
  const server = spawn(
    'turnserver',
    [
      ...['-n', '--stun-only', '-v', `--listening-port=${port}`, '--listening-ip=127.0.0.1'],
      ...[
        '--no-tcp',
        '--no-tcp-relay',
        '--no-tls',
        '--no-dtls',
        '--no-cli',
        '--log-file=stdout',
        '--simple-log',
      ],
      ...[`--pidfile=${join(folder, 'turn.pid')}`, `--userdb=${join(folder, 'turn.db')}`],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const exit = once(server, 'exit')
  for await (const line of createInterface({ input: server.stdout })) {
    if (!line.includes(`UDP listener opened on: 127.0.0.1:${port}`)) continue
    server.stdout.resume()
    return {
      address: `127.0.0.1:${port}`,
      async close() {
        server.kill('SIGKILL')
        await exit
      },
    }
  }
  throw new Error('coturn ended before it was ready')
}
