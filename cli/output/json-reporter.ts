import type { ProxyEvent } from '../client/stats/events.ts'
import { advised } from './advice.ts'
import type { Reporter } from './terminal-reporter.ts'

/** What a reader of `--json` may be behind with; what happens beyond that is not told. Characters. */
const maxUnread = 8 * 1024 * 1024

/**
 * An object a line, as docs/events.md has it. Where connections go is told with `verbose` only, and samples
 * while nothing moves are not told. A reader that stands still costs no more memory than it has been given.
 *
 * What is told of connections in one step goes out together, before the client of any of them hears more: who reads both
 * knows of a connection first. Everything else goes at once.
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

/** Those of which there may be thousands in a moment. */
const ofConnections = new Set<string>([
  'connection.opened',
  'connection.closed',
  'connection.refused',
  'connection.failed',
] satisfies ProxyEvent['type'][])

/** With what to do about it in this program's own terms, as a person at a terminal reads it. */
const withHint = (event: ProxyEvent, local: boolean): ProxyEvent =>
  // An end that was meant asks for nothing.
  'code' in event && event.type !== 'exit.closed' ? advised(event, local) : event
