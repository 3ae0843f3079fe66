import type { RelayCounts } from '../../../tunnel/session/relay-report.ts'
import type { Events, Path } from './events.ts'

export const sampleMs = 1_000

/**
 * Looks once a second at what the open connections have carried and how the paths are, and tells it as an
 * event: what moves the bytes only counts them. Gives the function that ends it.
 */
export function startSampler(events: Events, paths: () => Path[]): () => void {
  const open = new Map<number, { counts: RelayCounts; bytesUp: number; bytesDown: number }>()
  const unsubscribe = events.subscribe(event => {
    if (event.type === 'connection.opened' && event.counts)
      open.set(event.connection, { counts: event.counts, bytesUp: 0, bytesDown: 0 })
    // What it carried in all comes with the event.
    if (event.type === 'connection.closed') open.delete(event.connection)
  })
  const timer = setInterval(() => {
    const connections = []
    for (const [connection, known] of open) {
      const { up: bytesUp, down: bytesDown } = known.counts
      if (bytesUp === known.bytesUp && bytesDown === known.bytesDown) continue
      Object.assign(known, { bytesUp, bytesDown })
      connections.push({ connection, bytesUp, bytesDown })
    }
    events.emit({ type: 'traffic.sampled', connections, paths: paths() })
  }, sampleMs)
  return () => {
    clearInterval(timer)
    unsubscribe()
  }
}
