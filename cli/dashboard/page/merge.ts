import { maxEnded } from '../../client/stats/connections.ts'
import { levels } from '../../client/stats/series.ts'
import type { ConnectionState, Point, State } from '../../client/stats/state.ts'

/** What is known, brought up to date by a live update, which has only what changed of the long lists. */
export const merge = (known: State, update: State): State => ({
  ...update,
  connections: mergeConnections(known.connections, update.connections),
  // Both have the proxy's levels in their order.
  series: update.series.map(({ stepMs, points }, i) => ({
    stepMs,
    points: append(known.series[i]?.points ?? [], points, levels[i]?.maxPoints ?? 0),
  })),
})

// --- internal ---

function mergeConnections(known: ConnectionState[], changed: ConnectionState[]): ConnectionState[] {
  if (changed.length === 0) return known
  const all = new Map(known.map(connection => [connection.id, connection]))
  for (const connection of changed) all.set(connection.id, connection)
  const ended = [...all.values()].filter(({ endedAt }) => endedAt !== undefined)
  ended.sort((a, b) => a.endedAt! - b.endedAt!)
  for (const { id } of ended.slice(0, Math.max(0, ended.length - maxEnded))) all.delete(id)
  return [...all.values()]
}

function append(known: Point[], added: Point[], maxPoints: number): Point[] {
  const last = known.at(-1)?.at ?? Number.NEGATIVE_INFINITY
  return [...known, ...added.filter(({ at }) => at > last)].slice(-maxPoints)
}
