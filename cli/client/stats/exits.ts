import { BoundedMap } from '../../../tunnel/net/bounded-map.ts'
import { addUsage, type Usage, usageOf } from './cost.ts'
import type { Path, ProxyEvent } from './events.ts'
import type { ExitStatus, LaunchStatus } from './state.ts'

/** An exit that is over stays in sight for this long. Milliseconds. */
const keepEndedMs = 30_000
const maxLaunches = 20

/** The exits of this process, their launches, and what they used. */
export interface ExitTable {
  apply(event: ProxyEvent, now: number): void
  /** A connection was opened on it (+1) or ended (-1). */
  connect(id: string, change: 1 | -1): void
  /** It carried this much more. */
  carry(id: string, up: number, down: number): void
  /** The paths now. Gives each one's share of packets lost since the last time. */
  measure(paths: readonly Path[]): Record<string, { rttMs: number; loss: number }>
  list(): ExitStatus[]
  region(id: string): string | undefined
  launches(): LaunchStatus[]
  /** By region, exits that are over included. */
  usage(now: number): Map<string, Usage>
}

export function createExits(): ExitTable {
  const exits = new Map<string, ExitStatus>()
  const launches = new BoundedMap<string, LaunchStatus>(maxLaunches)
  /** What the exits used that are out of sight. */
  const past = new Map<string, Usage>()

  const end = (id: string, now: number, reason: string) => {
    const exit = exits.get(id)
    if (exit) Object.assign(exit, { phase: 'ended', silent: false, endedAt: now, reason })
  }
  const forget = (now: number) => {
    for (const [id, exit] of exits) {
      if (exit.endedAt === undefined || Math.abs(now - exit.endedAt) < keepEndedMs) continue
      // A connection may end, and tell what it carried, after its exit.
      if (exit.connections > 0) continue
      addUsage(past, exit.region, usageOf(exit, now))
      exits.delete(id)
    }
  }

  return {
    apply(event, now) {
      switch (event.type) {
        case 'exit.launching':
          exits.set(event.session, launched(event.session, event.region, now))
          launches.set(event.session, {
            session: event.session,
            region: event.region,
            launchedAt: now,
            steps: [],
          })
          break
        case 'exit.step': {
          const { type: _, session: id, ...step } = event
          launches.get(id)?.steps.push(step)
          const exit = exits.get(id)
          // The offer is written: it starts the function.
          if (exit && step.step === 'offer') exit.billedFrom = now
          break
        }
        case 'exit.ready': {
          const exit = exits.get(event.session)
          const { address, memoryMb, architecture, engines, candidate, byOpenPort } = event
          const { setUpMs, remainingMs, replaceMs } = event
          if (exit)
            Object.assign(exit, {
              phase: 'active',
              address,
              memoryMb,
              ...(architecture && { architecture }),
              engines,
              candidate,
              ...(byOpenPort && { byOpenPort }),
              readyAt: now,
              deadlineAt: now + remainingMs,
              replaceAt: now + replaceMs,
            })
          const launch = launches.get(event.session)
          if (launch) Object.assign(launch, { address, totalMs: setUpMs })
          break
        }
        case 'exit.rescheduled': {
          const exit = exits.get(event.session)
          if (exit) exit.replaceAt = now + event.replaceMs
          break
        }
        case 'exit.moved': {
          const exit = exits.get(event.session)
          if (exit) exit.candidate = event.candidate
          break
        }
        case 'exit.failed': {
          const { session, step, code, message, hint, retryMs } = event
          const launch = launches.get(session)
          if (launch)
            Object.assign(launch, {
              failure: { step, code, message, ...(hint !== undefined && { hint }), retryMs },
              totalMs: now - launch.launchedAt,
            })
          end(session, now, message)
          break
        }
        case 'exit.draining': {
          const exit = exits.get(event.session)
          if (exit) exit.phase = 'draining'
          break
        }
        case 'exit.silent': {
          const exit = exits.get(event.session)
          if (exit) exit.silent = event.silent
          break
        }
        case 'exit.closed':
          end(event.session, now, event.message)
          break
      }
      forget(now)
    },
    connect(id, change) {
      const exit = exits.get(id)
      if (exit) exit.connections += change
    },
    carry(id, up, down) {
      const exit = exits.get(id)
      if (!exit) return
      exit.bytesUp += up
      exit.bytesDown += down
    },
    measure(paths) {
      const measured: Record<string, { rttMs: number; loss: number }> = {}
      for (const { session: id, rttMs, sent, lost } of paths) {
        const exit = exits.get(id)
        if (!exit) continue
        const sentSince = sent - exit.packetsSent
        measured[id] = { rttMs, loss: sentSince > 0 ? (lost - exit.packetsLost) / sentSince : 0 }
        Object.assign(exit, { rttMs, packetsSent: sent, packetsLost: lost })
      }
      return measured
    },
    list: () => [...exits.values()],
    region: id => exits.get(id)?.region,
    launches: () => [...launches.values()].reverse(),
    usage(now) {
      const ledger = new Map(past)
      for (const exit of exits.values()) addUsage(ledger, exit.region, usageOf(exit, now))
      return ledger
    },
  }
}

// --- internal ---

const launched = (session: string, region: string, now: number): ExitStatus => ({
  session,
  region,
  phase: 'launching',
  silent: false,
  launchedAt: now,
  packetsSent: 0,
  packetsLost: 0,
  connections: 0,
  bytesUp: 0,
  bytesDown: 0,
})
