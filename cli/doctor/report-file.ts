import { constants } from 'node:fs'
import { open, rm, stat, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { homedir, hostname, release } from 'node:os'
import { version } from '../../package.json'
import { defaultStunServers, parseStunServers } from '../../tunnel/nat/stun/server-name.ts'
import { parseTurnServers } from '../../tunnel/nat/turn/uri.ts'
import type { Config } from '../config/load.ts'
import { systemReason } from '../input/system-error.ts'
import { UsageError } from '../input/usage-error.ts'
import type { Result } from './check.ts'
import type { Context } from './context.ts'
import { redact } from './redact.ts'

/** What an issue needs: where this ran, what the checks found, what is deployed, and how the launch went. */
export interface Report {
  lambdaNatProxy: string
  platform: { system: string; architecture: string; release: string; bun: string }
  works: boolean
  findings: readonly Result[]
  /** The views of each STUN server, and what follows from them. */
  network: unknown
  deployment: unknown
  /** The exit that the doctor launched: its steps in milliseconds, and what it said of itself. */
  launch: unknown
}

/** Builds the report from what the checks have found, without anything that identifies its owner. */
export async function gatherReport(results: readonly Result[], context: Context): Promise<Report> {
  const isUp = results.some(({ name, status }) => name === 'punch' && status === 'ok')
  const known = <T>(value: Promise<T>) => value.catch(() => undefined)
  const [network, stack, exit] = await Promise.all([
    known(context.netcheck()),
    context.isLocal || context.bucket !== undefined ? undefined : known(context.stack()),
    isUp ? known(context.exit()) : undefined,
  ])
  const regions = [...(stack?.regions ?? [])]
  const report: Report = {
    lambdaNatProxy: version,
    platform: {
      system: process.platform,
      architecture: process.arch,
      release: release(),
      bun: Bun.version,
    },
    works: results.every(({ status }) => status !== 'fail'),
    findings: results,
    network,
    deployment: stack && {
      regions: regions.map(([region, { bucket, functionName }]) => ({
        region,
        bucket,
        function: functionName !== undefined,
      })),
      changedAt: stack.changedAt && new Date(stack.changedAt).toISOString(),
    },
    launch: exit && {
      region: exit.region,
      startedBy: exit.startedBy,
      setUpMs: Math.round(exit.setUpMs),
      steps: exit.steps,
      hello: exit.session.hello,
    },
  }
  const deployed = [
    context.bucket,
    ...regions.flatMap(([, { bucket, functionName }]) => [bucket, functionName]),
  ]
  const names = [...deployed.filter(name => name !== undefined), ...ownNames(context.config)]
  return redact(report, [...names, hostname(), homedir()]) as Report
}

/** The names in a configuration that identify its owner: the stack's, and those of private servers. */
export function ownNames({ values, sources }: Pick<Config, 'values' | 'sources'>): string[] {
  const stack = sources['deployment.stack_name'].kind === 'default' ? [] : [values['deployment.stack_name']]
  return [...stack, ...ownServers(values)]
}

/** Rejects with a UsageError where a report could not be written there. Nothing has changed afterwards. */
export const checkReport = (path: string): Promise<void> =>
  writing(path, async () => {
    const isNew = (await stat(path).catch(() => undefined)) === undefined
    await (await open(path, openFlags, mode)).close()
    if (isNew) await rm(path)
  })

/** Writes it as JSON, for its owner alone to read. Rejects with a UsageError. */
export const writeReport = (path: string, report: Report): Promise<void> =>
  writing(path, () =>
    writeFile(path, `${JSON.stringify(report, undefined, 2)}\n`, {
      mode,
      flag: openFlags | constants.O_TRUNC,
    }),
  )

// --- internal ---

/** The names of private servers: all that are not the defaults. */
function ownServers(values: Config['values']): string[] {
  const others = values['proxy.stun_server'].filter(server => !defaultStunServers.includes(server))
  const servers = [...others.flatMap(parseStunServers), ...parseTurnServers(values['proxy.turn'].join(','))]
  return servers.map(({ host }) => host).filter(host => isIP(host) === 0)
}

const mode = 0o600
/** Without waiting for who reads a pipe; Windows has no such flag. */
const openFlags = constants.O_WRONLY | constants.O_CREAT | (constants.O_NONBLOCK ?? 0)

async function writing(path: string, action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (error) {
    throw new UsageError(`--report ${path} cannot be written: ${systemReason(error)}`, { cause: error })
  }
}
