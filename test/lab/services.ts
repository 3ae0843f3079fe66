import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineName } from '../../tunnel/quic/engines/engines.ts'
import { selfSigned } from '../support/certificate.ts'
import { functionZip } from '../support/function-zip.ts'
import { turnLogin, turnServer } from '../support/turn-server.ts'
import type { Lab } from './lab.ts'
import type { Running } from './running.ts'

// The servers of the lab's internet. Each ends with the lab.

const stunPort = 3478

/** A web server with known content; its URL. */
export async function startWeb(lab: Lab): Promise<string> {
  const server = runOurs(lab, 'web.ts', lab.address.web)
  await server.line(/^listening/)
  return `http://${lab.address.web}`
}

/** Two STUN servers with an address each, as `host:port`: the project's own, or coturn (which must be installed). */
export async function startStunServers(lab: Lab, which: 'ours' | 'coturn'): Promise<string[]> {
  const addresses = [lab.address.stun1, lab.address.stun2]
  if (which === 'ours') await runOurs(lab, 'stun.ts', ...addresses).line(/^listening/)
  else await startCoturn(lab, addresses)
  return addresses.map(address => `${address}:${stunPort}`)
}

export interface LabTurn {
  /** Its URIs: over UDP, TCP and TLS at 443. */
  udp: string
  tcp: string
  tls: string
  /** The certificate to trust, in a file. */
  ca: string
  /** What makes a client use it, over UDP or by this URI. */
  use(uri?: string): { args: string[]; environment: Record<string, string> }
  /** What makes the function use it over UDP: its environment. */
  ofFunction: string[]
  process: Running
}

/** coturn (which must be installed) as a TURN server with logins, on an address of its own. */
export async function startTurn(lab: Lab): Promise<LabTurn> {
  const address = lab.address.turn
  const certificate = await selfSigned(address)
  const [port, tlsPort] = [stunPort, 443]
  const { args, ready } = await turnServer({ address, port, tlsPort, folder: lab.folder, certificate })
  const server = lab.run('internet', 'turnserver', args)
  for (const line of ready) await server.line(line)
  const ca = join(lab.folder, 'turn.crt')
  const udp = `turn:${address}:${port}`
  return {
    udp,
    tcp: `${udp}?transport=tcp`,
    tls: `turns:${address}:${tlsPort}`,
    ca,
    use: (uri = udp) => ({
      args: ['--turn', uri, '--turn-ca', ca],
      environment: { LAMBDA_NAT_PROXY_TURN_AUTH: `${turnLogin.username}:${turnLogin.password}` },
    }),
    ofFunction: [`TURN_SERVERS=${udp}`, `TURN_AUTH=${turnLogin.username}:${turnLogin.password}`],
    process: server,
  }
}

export interface LabCloud {
  region: string
  bucket: string
  /** What points a client at it. */
  environment: Record<string, string>
  /** The process; it prints the function's log. */
  process: Running
}

/** The embedded cloud, its function with this engine (the preferred one by default) and these variables: S3 on the internet, the function's processes in the function's namespace, on Node 24. */
export async function startCloud(
  lab: Lab,
  stunServers: readonly string[],
  engine?: EngineName,
  variables: readonly string[] = [],
): Promise<LabCloud> {
  const region = 'local-1'
  const options = {
    host: lab.address.s3,
    // A firewall that lets out HTTPS alone goes by the port.
    s3Port: 443,
    regions: [region],
    stunServers,
    command: [...lab.inside('function'), ...(variables.length > 0 ? ['env', ...variables] : [])],
    node: join(import.meta.dir, '../../node_modules/node/bin/node'),
    // Its guard takes the lab's addresses, which RFC 5737 keeps for examples, for what they are.
    allowPrivate: true,
  }
  const zip = join(lab.folder, 'function.zip')
  await writeFile(zip, await functionZip(engine))
  const program = runOurs(lab, 'cloud.ts', zip, JSON.stringify(options))
  const [ready] = await program.line(/^{"event":"ready".*/)
  const { endpoint, buckets, credentials } = JSON.parse(ready) as {
    endpoint: string
    buckets: Record<string, string>
    credentials: { accessKeyId: string; secretAccessKey: string }
  }
  return {
    region,
    bucket: buckets[region]!,
    environment: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    process: program,
  }
}

// --- internal ---

const runOurs = (lab: Lab, program: string, ...args: string[]): Running =>
  lab.run('internet', process.execPath, [join(import.meta.dir, 'programs', program), ...args])

/** Debian's coturn as a plain STUN server. It reads no configuration of this machine, and keeps its files to itself. */
async function startCoturn(lab: Lab, addresses: string[]): Promise<void> {
  const server = lab.run('internet', 'turnserver', [
    ...['-n', '--stun-only', '-v', `--listening-port=${stunPort}`],
    ...addresses.map(address => `--listening-ip=${address}`),
    ...['--no-tcp', '--no-tcp-relay', '--no-tls', '--no-dtls', '--no-cli'],
    ...[
      '--log-file=stdout',
      '--simple-log',
      `--pidfile=${lab.folder}/turn.pid`,
      `--userdb=${lab.folder}/turn.db`,
    ],
  ])
  for (const address of addresses)
    await server.line(new RegExp(`UDP listener opened on: ${address}:${stunPort}`))
}
