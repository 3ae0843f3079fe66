import { join } from 'node:path'
import type { ProxyEvent } from '../../cli/client/stats/events.ts'
import type { EngineName } from '../../tunnel/quic/engines/engines.ts'
import { patient } from '../support/patience.ts'
import type { Lab } from './lab.ts'
import type { Running } from './running.ts'
import { type LabCloud, startCloud, startStunServers } from './services.ts'

// A whole session in the lab: servers on the internet, the function behind its NAT, the client behind the other.

export interface LabSession {
  /** `lambda-nat-proxy run --json`; what it prints is ProxyEvents. */
  client: Running
  cloud: LabCloud
  /** The next event of this type. */
  event<Type extends ProxyEvent['type']>(type: Type): Promise<Extract<ProxyEvent, { type: Type }>>
  /** How the first launch ends. */
  outcome(): Promise<Extract<ProxyEvent, { type: 'exit.ready' | 'exit.failed' }>>
}

/** A launch that cannot succeed has 10 s for its checks; before them STUN and a cold function, all on a busy machine. */
const launchLimit = patient(40_000)

export interface LabSessionOptions {
  /** Options of `run` besides those that lead to the lab's servers. */
  args?: readonly string[]
  /** What runs QUIC at both ends; the preferred engine by default. */
  engine?: EngineName
  environment?: Record<string, string>
  /** The function's, besides those of its deployment, each `NAME=value`. */
  variables?: readonly string[]
}

/** Starts servers, cloud and client. The client's proxy listens on 127.0.0.1:1080 of its namespace. */
export async function startSession(
  lab: Lab,
  stun: 'ours' | 'coturn',
  { args = [], engine, environment = {}, variables }: LabSessionOptions = {},
): Promise<LabSession> {
  const stunServers = await startStunServers(lab, stun)
  const cloud = await startCloud(lab, stunServers, engine, variables)
  const main = join(import.meta.dir, '../../cli/main.ts')
  const target = ['--bucket', cloud.bucket, '--region', cloud.region, '--stun', stunServers.join(',')]
  if (engine) target.push('--engine', engine)
  const client = lab.run('client', process.execPath, [main, 'run', '--json', ...target, ...args], {
    // The user's own profile has no part in it.
    env: { AWS_PROFILE: undefined, AWS_SESSION_TOKEN: undefined, ...cloud.environment, ...environment },
  })
  const next = async (types: string) =>
    JSON.parse((await client.line(new RegExp(`^{.*"type":"(${types})"`), launchLimit)).input)
  return {
    client,
    cloud,
    event: type => next(type),
    outcome: () => next('exit\\.ready|exit\\.failed'),
  }
}

/** What curl gets from this URL through the client's proxy, as text or, where it is long, as its SHA-256. */
export const fetchText = (lab: Lab, url: string): Promise<string> => shell(lab, `${curl} "$1"`, url)
export const fetchDigest = async (lab: Lab, url: string): Promise<string> =>
  (await shell(lab, `${curl} "$1" | sha256sum`, url)).split(' ')[0]!

// --- internal ---

const curl = 'curl --silent --show-error --fail --max-time 60 --socks5-hostname 127.0.0.1:1080'

const shell = (lab: Lab, script: string, ...args: string[]): Promise<string> =>
  lab.finish('client', 'bash', ['-o', 'pipefail', '-c', script, 'bash', ...args])
