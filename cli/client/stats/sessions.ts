import { addUsage, type Usage, usageOf } from './cost.ts'
import type { Path, ProxyEvent } from './events.ts'
import type { SessionState, SetUpState } from './state.ts'

/** A session that is over stays in sight for this long. Milliseconds. */
const keepEndedMs = 30_000
const maxSetUps = 20

/** The sessions of this process, their set-ups, and what they used. */
export interface Sessions {
  apply(event: ProxyEvent, now: number): void
  /** A connection was opened on it (+1) or ended (-1). */
  connect(id: string, change: 1 | -1): void
  /** It carried this much more. */
  carry(id: string, up: number, down: number): void
  /** The paths now. Gives each one's share of packets lost since the last time. */
  measure(paths: readonly Path[]): Record<string, { rttMs: number; loss: number }>
  list(): SessionState[]
  region(id: string): string | undefined
  setUps(): SetUpState[]
  /** By region, sessions that are over included. */
  usage(now: number): Map<string, Usage>
}

export function createSessions(): Sessions {
  const sessions = new Map<string, SessionState>()
  const setUps = new Map<string, SetUpState>()
  /** What the sessions used that are out of sight. */
  const past = new Map<string, Usage>()

  const end = (id: string, now: number, reason: string) => {
    const session = sessions.get(id)
    if (session) Object.assign(session, { role: 'ended', silent: false, endedAt: now, reason })
  }
  const forget = (now: number) => {
    for (const [id, session] of sessions) {
      if (session.endedAt === undefined || now - session.endedAt < keepEndedMs) continue
      // A connection may end, and tell what it carried, after its session.
      if (session.connections > 0) continue
      addUsage(past, session.region, usageOf(session, now))
      sessions.delete(id)
    }
    for (const id of setUps.keys()) if (setUps.size > maxSetUps) setUps.delete(id)
  }

  return {
    apply(event, now) {
      switch (event.type) {
        case 'session.launching':
          sessions.set(event.session, launched(event.session, event.region, now))
          setUps.set(event.session, {
            session: event.session,
            region: event.region,
            launchedAt: now,
            steps: [],
          })
          break
        case 'session.step': {
          const { type: _, session: id, ...step } = event
          setUps.get(id)?.steps.push(step)
          const session = sessions.get(id)
          // The offer is written: it starts the function.
          if (session && step.step === 'offer') session.billedFrom = now
          break
        }
        case 'session.ready': {
          const session = sessions.get(event.session)
          const { address, memoryMb, setUpMs, remainingMs } = event
          if (session)
            Object.assign(session, {
              role: 'active',
              address,
              memoryMb,
              readyAt: now,
              deadlineAt: now + remainingMs,
            })
          const setUp = setUps.get(event.session)
          if (setUp) setUp.totalMs = setUpMs
          break
        }
        case 'session.failed': {
          const { session, step, message, retryMs } = event
          const setUp = setUps.get(session)
          if (setUp)
            Object.assign(setUp, {
              failure: { step, message, retryMs },
              totalMs: now - setUp.launchedAt,
            })
          end(session, now, message)
          break
        }
        case 'session.draining': {
          const session = sessions.get(event.session)
          if (session) session.role = 'draining'
          break
        }
        case 'session.silent': {
          const session = sessions.get(event.session)
          if (session) session.silent = event.silent
          break
        }
        case 'session.closed':
          end(event.session, now, event.message)
          break
      }
      forget(now)
    },
    connect(id, change) {
      const session = sessions.get(id)
      if (session) session.connections += change
    },
    carry(id, up, down) {
      const session = sessions.get(id)
      if (!session) return
      session.bytesUp += up
      session.bytesDown += down
    },
    measure(paths) {
      const measured: Record<string, { rttMs: number; loss: number }> = {}
      for (const { session: id, rttMs, sent, lost } of paths) {
        const session = sessions.get(id)
        if (!session) continue
        const sentSince = sent - session.packetsSent
        measured[id] = { rttMs, loss: sentSince > 0 ? (lost - session.packetsLost) / sentSince : 0 }
        Object.assign(session, { rttMs, packetsSent: sent, packetsLost: lost })
      }
      return measured
    },
    list: () => [...sessions.values()],
    region: id => sessions.get(id)?.region,
    setUps: () => [...setUps.values()].reverse(),
    usage(now) {
      const ledger = new Map(past)
      for (const session of sessions.values()) addUsage(ledger, session.region, usageOf(session, now))
      return ledger
    },
  }
}

// --- internal ---

const launched = (id: string, region: string, now: number): SessionState => ({
  id,
  region,
  role: 'launching',
  silent: false,
  launchedAt: now,
  packetsSent: 0,
  packetsLost: 0,
  connections: 0,
  bytesUp: 0,
  bytesDown: 0,
})
