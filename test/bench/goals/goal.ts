import { finder, type Report } from '../report.ts'
import type { Series } from '../series.ts'
import type { Trial } from '../trial.ts'

/** A trial that a goal looks at. */
export interface Needed {
  series: Series['name']
  subject: string
  workload: string
  /** Delay and loss; loopback without. */
  place?: string
}

/** A figure to reach. */
export interface Goal {
  /** Goals that are measured together have one, to be chosen by. */
  row: string
  what: string
  needs: readonly Needed[]
  /** Ours, and those it is compared with; undefined what was not measured. */
  figures(report: Report): (number | undefined)[]
  /** Connections that failed in our trial. */
  failures(report: Report): number
  /** Of the figures. */
  unit: string
  /** Of our figure, or with others of its ratio to the best of them. */
  atLeast?: number
  atMost?: number
}

interface TrialGoal extends Pick<Goal, 'row' | 'what' | 'unit' | 'atLeast' | 'atMost'> {
  ours: Needed
  others?: readonly Needed[]
  figure(trial: Trial): number | undefined
}

/** A goal for a figure of trials. */
export function trialGoal({ ours, others = [], figure, ...goal }: TrialGoal): Goal {
  const needs = [ours, ...others]
  const trialOf = (report: Report, { subject, workload, place }: Needed) =>
    finder(report)(subject, workload, place)
  return {
    ...goal,
    needs,
    figures: report =>
      needs.map(needed => {
        const trial = trialOf(report, needed)
        return trial && figure(trial)
      }),
    failures: report => trialOf(report, ours)?.failures ?? 0,
  }
}

/** How a goal has come out. */
export interface Verdict {
  row: string
  what: string
  outcome: 'met' | 'missed' | 'not measured'
  /** What the bound is for: our figure, or its ratio to the best of the others. */
  value?: number
  atLeast?: number | undefined
  atMost?: number | undefined
  /** Of the bound: by how much it was missed. */
  missedBy?: number
  /** Ours, and those it is compared with. */
  figures: (number | undefined)[]
  unit: string
  failures: number
}

export function judge(goal: Goal, report: Report): Verdict {
  const { row, what, unit, atLeast, atMost } = goal
  const figures = goal.figures(report)
  const failures = goal.failures(report)
  const common = { row, what, unit, atLeast, atMost, figures, failures }
  if (figures.some(figure => figure === undefined || !Number.isFinite(figure)))
    return { ...common, outcome: 'not measured' }
  const [ours, ...others] = figures as [number, ...number[]]
  const best = atLeast === undefined ? Math.min(...others) : Math.max(...others)
  const value = others.length === 0 ? ours : ours / best
  const missedBy = Math.max(
    atLeast === undefined ? 0 : 1 - value / atLeast,
    atMost === undefined ? 0 : value / atMost - 1,
  )
  if (missedBy > 0) return { ...common, value, outcome: 'missed', missedBy }
  return { ...common, value, outcome: failures > 0 ? 'missed' : 'met' }
}
