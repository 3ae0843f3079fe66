import { join } from 'node:path'
import { root, type Started, start, withKey } from './processes.ts'

/** A step of a session's set-up, as `run --json` tells it. */
export interface Step {
  step: string
  ms: number
}

export interface Proxy {
  client: Started
  /** Port of the SOCKS5 listener. */
  socks: number
  /** Of the first session. */
  steps: Step[]
}

/** Nobody's own settings: there is no such folder. */
const noSettings = join(root, 'dist/no-settings')

/** Runs a command of the proxy's, from the sources. */
export const command = (args: string[], env: Record<string, string> = {}): Started =>
  start([process.execPath, 'cli/main.ts', ...args], { env: { XDG_CONFIG_HOME: noSettings, ...env } })

/** Starts the client and waits until it is ready. */
export async function startProxy(args: string[], env: Record<string, string>): Promise<Proxy> {
  const client = command(['run', ...args, '--port', '0', '--json'], env)
  const steps: Step[] = []
  const { port } = await client.hear('the proxy was ready', line => {
    const event = withKey<Step & { type: string; port: number }>('type')(line)
    if (event?.type === 'session.step') steps.push({ step: event.step, ms: event.ms })
    return event?.type === 'proxy.ready' ? event : undefined
  })
  return { client, socks: port, steps }
}
