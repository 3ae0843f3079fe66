import { join } from 'node:path'
import type { Cloud } from './cloud.ts'
import type { Place, Side } from './place.ts'
import { root, type Started, withKey } from './processes.ts'

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
export const command = (
  place: Place,
  side: Side,
  args: string[],
  env: Record<string, string> = {},
): Started =>
  place.start(side, [process.execPath, 'cli/main.ts', ...args], {
    env: { XDG_CONFIG_HOME: noSettings, ...env },
  })

/** Starts the client on the near side, with these arguments of `run` too, and waits until it is ready. */
export async function startProxy(
  place: Place,
  cloud: Cloud,
  options: readonly string[] = [],
): Promise<Proxy> {
  const run = ['run', ...cloud.arguments, '--port', '0', '--json', ...options]
  const client = command(place, 'near', run, cloud.env)
  const steps: Step[] = []
  const { port } = await client.hear('the proxy was ready', line => {
    const event = withKey<Step & { type: string; port: number }>('type')(line)
    if (event?.type === 'exit.step') steps.push({ step: event.step, ms: event.ms })
    return event?.type === 'proxy.ready' ? event : undefined
  })
  return { client, socks: port, steps }
}
