import { printable } from '../../../tunnel/net/printable.ts'
import { reply } from '../../../tunnel/session/frames/reply.ts'
import type { RelayCounts } from '../../../tunnel/session/relay-report.ts'
import { systemReason } from '../../input/system-error.ts'
import { UsageError } from '../../input/usage-error.ts'
import { OutboundError } from '../outbound/outbound.ts'
import type { Events, ProxyEvent } from '../stats/events.ts'
import { LogFile } from './log-file.ts'

/** What becomes of new connections while the file cannot be written. */
export const auditActions = ['warn', 'refuse'] as const
export type AuditAction = (typeof auditActions)[number]

export interface AuditOptions {
  events: Events
  path: string
  maxBytes: number
  keep: number
  onFailure: AuditAction
  retryMs?: number
}

export interface Audit {
  /** Throws an OutboundError where connections are refused because they cannot be written down. */
  gate(): void
  /** The proxy ends: connections that are broken off from now on were so by it. */
  ending(): void
  /** Writes down what is still open, and closes the file. */
  close(): Promise<void>
}

/**
 * Writes each connection into a file when it has ended: whose it was, where it went, what it carried, through which
 * exit, and when. Rejects with a UsageError, E_AUDIT_UNWRITABLE, when the file cannot be written.
 */
export async function startAudit(options: AuditOptions): Promise<Audit> {
  const { events, path, onFailure, ...limits } = options
  const unwritable = (error: unknown) => `the audit file ${path} cannot be written: ${systemReason(error)}`
  const file = await LogFile.open({
    ...limits,
    path,
    onState(error, lost) {
      if (error === undefined) return events.emit({ type: 'audit.recovered', lost })
      const hint =
        onFailure === 'refuse'
          ? 'New connections are refused until it can be written.'
          : 'Connections go on, and are written down when it can be written again.'
      events.emit({ type: 'audit.failed', code, message: unwritable(error), hint })
    },
  }).catch(error => {
    throw new UsageError(unwritable(error), { code, cause: error })
  })
  let isEnding = false
  const open = new Map<number, { entry: Entry; counts: RelayCounts | undefined }>()
  const exits = new Map<string, { address: string; region: string }>()
  const write = (entry: Entry, more: object) => file.append(JSON.stringify({ ...entry, ...more }))

  const unsubscribe = events.subscribe(event => {
    switch (event.type) {
      case 'exit.ready':
        exits.set(event.session, { address: event.address, region: event.region })
        break
      case 'exit.closed':
        exits.delete(event.session)
        break
      case 'connection.opened':
        open.set(event.connection, {
          counts: event.counts,
          entry: {
            ...entryOf(event, event.ms),
            ...(event.session !== undefined && { session: event.session, ...exits.get(event.session) }),
          },
        })
        break
      case 'connection.closed': {
        const entry = open.get(event.connection)?.entry
        open.delete(event.connection)
        const { bytesUp, bytesDown, end } = event
        const ended = isEnding && end !== 'complete' ? 'proxy-closed' : end
        if (entry) write(entry, { end: now(), ended, bytesUp, bytesDown })
        break
      }
      case 'connection.refused':
      case 'connection.failed': {
        const ended = event.type === 'connection.refused' ? 'refused' : 'failed'
        write(entryOf(event), { end: now(), ended, code: event.code, bytesUp: 0, bytesDown: 0 })
        break
      }
    }
  })
  const writeOpen = () => {
    for (const { entry, counts } of open.values()) {
      const carried = counts && { bytesUp: counts.up, bytesDown: counts.down }
      write(entry, { ...carried, end: now(), ended: 'proxy-closed' })
    }
    open.clear()
  }
  // Before the file's own, when the process ends in a hurry.
  process.prependListener('exit', writeOpen)
  return {
    gate() {
      if (onFailure === 'refuse' && file.failed)
        throw new OutboundError('unavailable', reply.failure, {
          code,
          message: 'connections are refused, because they cannot be written down',
          hint: 'Make room for the audit file, or make it writable.',
        })
    },
    ending() {
      isEnding = true
    },
    async close() {
      unsubscribe()
      process.off('exit', writeOpen)
      writeOpen()
      await file.close()
    },
  }
}

// --- internal ---

const code = 'E_AUDIT_UNWRITABLE'

interface Entry {
  start: string
  user: string | null
  outbound: string | undefined
  target: string
  session?: string
  address?: string
  region?: string
  bytesUp: number
  bytesDown: number
}

const now = () => new Date().toISOString()

type Told = Extract<ProxyEvent, { type: 'connection.opened' | 'connection.refused' | 'connection.failed' }>

/** `ms`: how long ago it was asked for. */
const entryOf = ({ user, outbound, target }: Told, ms = 0): Entry => ({
  start: new Date(Date.now() - ms).toISOString(),
  user: user ?? null,
  outbound,
  // A target that was refused may be anything.
  target: printable(target),
  bytesUp: 0,
  bytesDown: 0,
})
