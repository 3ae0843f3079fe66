import type { ProxyEvent } from '../client/stats/events.ts'
import { advised } from './advice.ts'
import type { Reporter } from './terminal-reporter.ts'

/** How far a reader of `--json` may lag; further events are dropped. Characters. */
const maxUnread = 8 * 1024 * 1024

/**
 * One JSON object per line, as in docs/events.md. Targets appear with `verbose` only, and samples without traffic are
 * left out. The memory for a reader that stalls is bounded.
 *
 * Connection events of one turn are written together, before the client of any of them gets its next bytes: a reader of
 * both sees the event first. All other events are written at once.
 */
export function jsonReporter(
  { verbose, local = false }: { verbose: boolean; local?: boolean },
  output: Pick<NodeJS.WriteStream, 'write'> = process.stdout,
): Reporter {
  const leftOut = verbose ? ['counts'] : ['counts', 'target', 'site']
  const deepText = (event: object) =>
    JSON.stringify(timed(event), (name, value) => (leftOut.includes(name) ? undefined : value))
  /** The same of an event without further objects, in a third of the time. */
  const flatText = (event: object) => {
    const fields = timed(event)
    for (const name of leftOut) fields[name] = undefined
    return JSON.stringify(fields)
  }
  let unread = 0
  let lost = 0
  let batch = ''
  const flush = () => {
    const text = batch
    batch = ''
    if (text === '') return
    output.write(text, () => {
      unread -= text.length
    })
  }
  const write = (event: ProxyEvent | { type: 'events.lost'; events: number }) => {
    const line = `${ofConnections.has(event.type) ? flatText(event) : deepText(event)}\n`
    unread += line.length
    if (batch === '') queueMicrotask(flush)
    batch += line
    if (!ofConnections.has(event.type)) flush()
  }
  return {
    event(event) {
      if (event.type === 'traffic.sampled' && event.connections.length === 0) return
      if (unread > maxUnread) {
        lost++
        return
      }
      if (lost > 0) write({ type: 'events.lost', events: lost })
      lost = 0
      write(withHint(event, local))
    },
    close: flush,
  }
}

// --- internal ---

const timed = (event: object): Record<string, unknown> => ({ time: new Date().toISOString(), ...event })

/** Events that may come by the thousand. */
const ofConnections = new Set<string>([
  'connection.opened',
  'connection.closed',
  'connection.refused',
  'connection.failed',
] satisfies ProxyEvent['type'][])

/** With what to do about it in this program's own terms, as a person at a terminal reads it. */
const withHint = (event: ProxyEvent, local: boolean): ProxyEvent =>
  // A regular end needs no advice.
  'code' in event && event.type !== 'exit.closed' ? advised(event, local) : event
