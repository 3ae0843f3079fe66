import * as v from 'valibot'
import { type Banned, type FleetRequests, RequestError, type Which } from '../client/fleet/requests.ts'
import type { ListenerAddress } from '../client/stats/events.ts'
import type { Model } from '../client/stats/model.ts'
import { isAccepting } from '../client/stats/state.ts'
import { ControlError } from './control-error.ts'
import { type ExitReport, exitReport } from './exit-report.ts'
import type { ReloadReport } from './reload.ts'

/** What the operations act on: the proxy in this process. */
export interface Controlled {
  model: Model
  /** None before its exits are launched. */
  fleet(): FleetRequests | undefined
  listeners(): readonly ListenerAddress[]
  /** Reads settings and logins again. Throws for what is wrong with them, and then nothing has changed. */
  reload(): Promise<ReloadReport> | undefined
}

export interface StatusReport {
  pid: number
  version: string
  /** Milliseconds since 1970. */
  startedAt: number
  listeners: ListenerAddress[]
  /** Exits that accept connections. */
  exits: number
  /** Connections that are open. */
  connections: number
  bytesUp: number
  bytesDown: number
  /** The exits run on this machine, and cost nothing. */
  local: boolean
  /** Dollars so far, an estimate; of local exits what they would be in AWS. */
  cost: number
  bans: { site: string; addresses: string[] }[]
}

/** Input and output of each operation: the one list for the socket, the dashboard's API and the commands. */
export interface Operations {
  status: { input: Record<never, never>; output: StatusReport }
  exits: { input: Record<never, never>; output: ExitReport[] }
  rotate: { input: Which; output: { rotating: ExitReport[] } }
  ban: { input: { site: string }; output: Banned }
  reload: { input: Record<never, never>; output: ReloadReport }
}

/** Of an exit or a region. Characters. */
export const maxNameLength = 255
/** Of a site, which people may copy as the URL of a page. Characters. */
export const maxSiteLength = 1_024

export type OperationName = keyof Operations

/** An operation: how its input is read, and what it does. */
export interface Operation<Name extends OperationName> {
  schema: v.GenericSchema<unknown, Operations[Name]['input']>
  /** An example of its input, for the hint about a wrong one. */
  example: string
  run(
    input: Operations[Name]['input'],
    proxy: Controlled,
  ): Operations[Name]['output'] | Promise<Operations[Name]['output']>
}

const text = v.pipe(v.string(), v.nonEmpty(), v.maxLength(maxNameLength))
const siteText = v.pipe(v.string(), v.nonEmpty(), v.maxLength(maxSiteLength))
const nothing = v.strictObject({})

export const operations: { readonly [Name in OperationName]: Operation<Name> } = {
  status: {
    schema: nothing,
    example: '{}',
    run(_, { model, fleet, listeners }) {
      const { version, startedAt, totals, cost } = model.state(Number.POSITIVE_INFINITY)
      return {
        pid: process.pid,
        version,
        startedAt,
        listeners: listeners().map(({ scheme, host, port }) => ({ scheme, host, port })),
        exits: model.exits.filter(isAccepting).length,
        connections: totals.active,
        bytesUp: totals.bytesUp,
        bytesDown: totals.bytesDown,
        local: model.local,
        cost: cost.total,
        bans: fleet()?.bans() ?? [],
      }
    },
  },
  exits: {
    schema: nothing,
    example: '{}',
    run: (_, { model }) => reports(model),
  },
  rotate: {
    schema: v.union([
      v.strictObject({ exit: text }),
      v.strictObject({ region: text }),
      v.strictObject({ site: siteText }),
      v.strictObject({ all: v.literal(true) }),
    ]),
    example: '{"exit": "…"}, {"region": "…"}, {"site": "…"} or {"all": true}',
    run(which, proxy) {
      const ids = running(proxy).rotate(which)
      if (ids.length === 0 && 'all' in which)
        throw new RequestError('E_EXIT_NOT_ACTIVE', 'no exit is active now')
      return { rotating: reports(proxy.model).filter(({ id }) => ids.includes(id)) }
    },
  },
  ban: {
    schema: v.strictObject({ site: siteText }),
    example: '{"site": "example.com"}',
    run: ({ site }, proxy) => running(proxy).ban(site),
  },
  reload: {
    schema: nothing,
    example: '{}',
    async run(_, proxy) {
      return (await proxy.reload()) ?? starting()
    },
  },
}

export const isOperation = (name: string): name is OperationName => Object.hasOwn(operations, name)

// --- internal ---

function running({ fleet }: Controlled): FleetRequests {
  return fleet() ?? starting()
}

function starting(): never {
  throw new ControlError('E_CONTROL_STARTING', 'the proxy is still starting', {
    hint: 'Try again in a moment.',
  })
}

function reports(model: Model): ExitReport[] {
  const now = Date.now()
  return model.exits.filter(({ phase }) => phase !== 'ended').map(exit => exitReport(exit, model.local, now))
}
