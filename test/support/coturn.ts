import { join } from 'node:path'
import { startServer } from '../lab/running.ts'
import { freePort } from './free-port.ts'

/**
 * Debian's coturn as a plain STUN server of this machine. On two addresses it tells how a NAT maps, too (RFC 5780), by a
 * second port of each. It keeps its files to `folder`.
 */
export async function startCoturn(
  folder: string,
  addresses: readonly [string, string?] = ['127.0.0.1'],
): Promise<{ address: string; close(): Promise<void> }> {
  const port = await freePort()
  const server = await startServer(
    [
      ...['turnserver', '-n', '--stun-only', '-v', '--log-file=stdout', '--simple-log'],
      ...[`--listening-port=${port}`, ...addresses.map(address => `--listening-ip=${address}`)],
      ...['--no-tcp', '--no-tcp-relay', '--no-tls', '--no-dtls', '--no-cli'],
      ...[`--pidfile=${join(folder, 'turn.pid')}`, `--userdb=${join(folder, 'turn.db')}`],
    ],
    // The last that it opens.
    [new RegExp(`UDP listener opened on: ${addresses.at(-1)}:${port + addresses.length - 1}`)],
  )
  return {
    address: `${addresses[0]}:${port}`,
    async close() {
      await server.stop('SIGKILL')
    },
  }
}
