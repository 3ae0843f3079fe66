import type { ConnectionState, Point, SeriesState, State } from '../state.ts'

/** As many points as the proxy itself keeps at each step. */
const mostPoints: Record<number, number> = { 1000: 300, 10000: 360, 60000: 720 }
const mostEnded = 500

/** What is known, brought up to date by a live update, which has only what changed of the long lists. */
export const merge = (known: State, update: State): State => ({
  ...update,
  connections: mergeConnections(known.connections, update.connections),
  series: update.series.map(({ stepMs, points }) => ({
    stepMs,
    points: append(pointsOf(known.series, stepMs), points, mostPoints[stepMs] ?? 300),
  })),
})

// --- internal ---

function mergeConnections(known: ConnectionState[], changed: ConnectionState[]): ConnectionState[] {
  if (changed.length === 0) return known
  const all = new Map(known.map(connection => [connection.id, connection]))
  for (const connection of changed) all.set(connection.id, connection)
  const ended = [...all.values()].filter(({ endedAt }) => endedAt !== undefined)
  ended.sort((a, b) => a.endedAt! - b.endedAt!)
  for (const { id } of ended.slice(0, Math.max(0, ended.length - mostEnded))) all.delete(id)
  return [...all.values()]
}

const pointsOf = (series: SeriesState[], stepMs: number): Point[] =>
  series.find(each => each.stepMs === stepMs)?.points ?? []

function append(known: Point[], added: Point[], most: number): Point[] {
  const last = known.at(-1)?.at ?? Number.NEGATIVE_INFINITY
  return [...known, ...added.filter(({ at }) => at > last)].slice(-most)
}
