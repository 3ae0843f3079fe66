import { allSeries, type Series } from '../series.ts'
import { type Size, sizes } from '../workloads.ts'
import type { Goal, Needed } from './goal.ts'

/** What has to be measured for goals. */
export interface Plan {
  goals: readonly Goal[]
  series: Series[]
  /** Some of them need the function's start. */
  startUp: boolean
  /** About how long it takes on a machine at rest. */
  minutes: number
}

/** The size of a run for goals: as many short requests, and all the delays and losses, that they speak of. */
export const goalSize = (size: Size): Size =>
  size.name === 'quick'
    ? { ...size, links: sizes.normal.links }
    : { ...size, links: sizes.normal.links, requests: sizes.full.requests }

/** The trials of these goals, each once, and nothing else. */
export function planFor(goals: readonly Goal[], size: Size): Plan {
  const needed = goals.flatMap(({ needs }) => needs)
  const series = allSeries(goalSize(size)).flatMap(one => only(one, needed, size.repetitions))
  const startUp = goals.some(({ needs }) => needs.length === 0)
  const trials = series.flatMap(one => Array(countTrials(one)).fill(secondsEach[one.name] ?? 0) as number[])
  const seconds = trials.reduce((sum, each) => sum + each, startUp ? startUpSeconds : 0)
  return { goals, series, startUp, minutes: Math.max(1, Math.round(seconds / 60)) }
}

// --- internal ---

/** What a trial takes at rest, its subject's start and warm-up included. */
const secondsEach: Record<Series['name'], number> = {
  near: 6,
  far: 9,
  held: 8,
  bottleneck: 13,
  beside: 22,
  engines: 6,
}
const startUpSeconds = 20

/** What is needed of a series; nothing when nothing is. */
function only(series: Series, all: readonly Needed[], repetitions: number): Series[] {
  const needed = all.filter(each => each.series === series.name)
  const named = <T extends { name: string }>(items: readonly T[], names: (string | undefined)[]) =>
    items.filter(({ name }) => names.includes(name))
  if (needed.length === 0) return []
  return [
    {
      ...series,
      places: named(
        series.places,
        needed.map(({ place = '' }) => place),
      ),
      subjects: named(
        [...series.subjects, ...(series.onRequest ?? [])],
        needed.map(({ subject }) => subject),
      ),
      workloads: named(
        series.workloads,
        needed.map(({ workload }) => workload),
      ),
      suits: (subject, workload) =>
        needed.some(each => each.subject === subject && each.workload === workload),
      repetitions,
    },
  ]
}

const countTrials = ({ places, subjects, workloads, suits, repetitions }: Series) =>
  places.length *
  repetitions *
  subjects.flatMap(subject => workloads.filter(workload => suits?.(subject.name, workload.name) ?? true))
    .length
