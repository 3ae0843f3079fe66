import { addUsage, costOf, type Usage, usageOf } from '../client/stats/cost.ts'
import type { ExitStatus } from '../client/stats/state.ts'

/** An exit as `exits` lists it. Times are milliseconds. */
export interface ExitReport {
  /** The id of its session. */
  id: string
  region: string
  /** Its public address, once it is up. */
  address?: string
  phase: ExitStatus['phase']
  /** The kind of the exit's address that packets are sent to, or `relayed`, once it is up. */
  candidate?: ExitStatus['candidate']
  /** It answers no probes at the moment. */
  silent: boolean
  /** Since its launch. */
  ageMs: number
  /** Until its function must end. */
  remainingMs?: number
  connections: number
  bytesUp: number
  bytesDown: number
  /** It runs on this machine, and costs nothing. */
  local: boolean
  /** Dollars so far, an estimate; of a local one what they would be in AWS. */
  cost: number
}

export function exitReport(exit: ExitStatus, local: boolean, now: number): ExitReport {
  const { session, region, address, candidate, phase, silent, launchedAt, deadlineAt } = exit
  const ledger = new Map<string, Usage>()
  addUsage(ledger, region, usageOf(exit, now))
  return {
    id: session,
    region,
    ...(address !== undefined && { address }),
    phase,
    ...(candidate !== undefined && { candidate }),
    silent,
    ageMs: now - launchedAt,
    ...(deadlineAt !== undefined && { remainingMs: Math.max(0, deadlineAt - now) }),
    connections: exit.connections,
    bytesUp: exit.bytesUp,
    bytesDown: exit.bytesDown,
    local,
    cost: costOf(ledger).total,
  }
}
