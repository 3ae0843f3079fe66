import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '../lab/running.ts'
import type { Certificate } from './certificate.ts'
import { freePort } from './free-port.ts'

// Debian's coturn as a TURN server. It reads no configuration of this machine and keeps its files to a folder.

/** The login and the realm of every server here; or a shared secret in the login's place. */
export const turnLogin = { username: 'someone', password: 'pass word' }
export const turnSecret = 'a shared secret'

export interface TurnServerPlan {
  address: string
  port: number
  tlsPort: number
  folder: string
  certificate: Certificate
  credentials?: 'login' | 'secret'
  /** Further arguments of coturn's. */
  more?: readonly string[]
}

/** Writes its certificate; the arguments of `turnserver`, and the lines that together say that it is ready. */
export async function turnServer(plan: TurnServerPlan): Promise<{ args: string[]; ready: RegExp[] }> {
  const { address, port, tlsPort, folder, certificate, credentials = 'login', more = [] } = plan
  const file = (name: string) => join(folder, name)
  await writeFile(file('turn.crt'), certificate.cert)
  await writeFile(file('turn.key'), certificate.key)
  const shown =
    credentials === 'login'
      ? ['--lt-cred-mech', `--user=${turnLogin.username}:${turnLogin.password}`]
      : ['--use-auth-secret', `--static-auth-secret=${turnSecret}`]
  return {
    args: [
      ...['-n', '-v', '--realm=example.org', ...shown],
      ...[`--listening-ip=${address}`, `--relay-ip=${address}`, `--listening-port=${port}`],
      ...[`--tls-listening-port=${tlsPort}`, `--cert=${file('turn.crt')}`, `--pkey=${file('turn.key')}`],
      ...['--no-dtls', '--no-cli', '--no-rfc5780', '--log-file=stdout', '--simple-log', '--relay-threads=1'],
      ...[`--pidfile=${file('turn.pid')}`, `--userdb=${file('turn.db')}`],
      ...more,
    ],
    ready: [
      new RegExp(`UDP listener opened on: ${address}:${port}`),
      new RegExp(`TCP listener opened on : ${address}:${port}`),
      new RegExp(`TCP listener opened on : ${address}:${tlsPort}`),
    ],
  }
}

export interface LocalTurnServer {
  port: number
  tlsPort: number
  /** Ends it at once, as a crash would. */
  close(): Promise<void>
}

/** A TURN server on 127.0.0.1 that relays to loopback. */
export async function startTurnServer(
  certificate: Certificate,
  plan: Pick<TurnServerPlan, 'credentials' | 'more'> = {},
): Promise<LocalTurnServer> {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const [port, tlsPort] = [await freePort(), await freePort()]
  const { args, ready } = await turnServer({
    ...{ address: '127.0.0.1', port, tlsPort, folder, certificate, credentials: plan.credentials },
    more: ['--allow-loopback-peers', ...(plan.more ?? [])],
  })
  const server = await startServer(['turnserver', ...args], ready)
  return {
    port,
    tlsPort,
    async close() {
      await server.stop('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
