import type { Point, SeriesState } from './state.ts'

/** Samples to a point, and how many points are kept: with a sample a second 5 minutes, an hour, and 12 hours. */
export const levels = [
  { samples: 1, maxPoints: 300 },
  { samples: 10, maxPoints: 360 },
  { samples: 60, maxPoints: 720 },
] as const

/** How things went over time, the longer ago the coarser. */
export interface Series {
  /** Takes the sample of another second. */
  add(sample: Point): void
  /** The points from `since` on. */
  read(since: number): SeriesState[]
}

export function createSeries(): Series {
  const all = levels.map(level => ({ ...level, points: [] as Point[], pending: [] as Point[] }))
  return {
    add(sample) {
      for (const level of all) {
        level.pending.push(sample)
        if (level.pending.length < level.samples) continue
        level.points.push(mean(level.pending))
        level.pending = []
        if (level.points.length > level.maxPoints) level.points.shift()
      }
    },
    read: since =>
      all.map(({ samples, points }) => ({
        stepMs: samples * 1000,
        points: points.filter(({ at }) => at >= since),
      })),
  }
}

// --- internal ---

/** One point for several: their mean, at the time of the last. */
function mean(points: readonly Point[]): Point {
  const over = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const sessions = new Set(points.flatMap(({ paths }) => Object.keys(paths)))
  return {
    at: points.at(-1)!.at,
    down: over(points.map(({ down }) => down)),
    up: over(points.map(({ up }) => up)),
    connections: over(points.map(({ connections }) => connections)),
    paths: Object.fromEntries(
      [...sessions].map(session => {
        const known = points.flatMap(({ paths }) => paths[session] ?? [])
        return [
          session,
          { rttMs: over(known.map(({ rttMs }) => rttMs)), loss: over(known.map(({ loss }) => loss)) },
        ]
      }),
    ),
  }
}
