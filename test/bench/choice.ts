import { didYouMean } from '../../cli/input/did-you-mean.ts'
import { UsageError } from '../../cli/input/usage-error.ts'
import { readWhole } from '../../cli/input/whole-number.ts'
import type { HelpRow } from '../../cli/output/help-page.ts'
import type { Goal } from './goals/goal.ts'
import { goalRows, goals } from './goals/goals.ts'
import { type Plan, planFor } from './goals/plan.ts'
import { allSeries, type Series } from './series.ts'
import { type Size, sizes } from './workloads.ts'

// What the command line asks for. Whatever it names that is not there ends the bench before it begins.

export interface Choice {
  size: Size
  /** What the goals need, where it is asked whether they are met. */
  plan: Plan | undefined
  series: readonly Series[]
  /** Nothing was named. */
  isAll: boolean
  isKept: boolean
  isJson: boolean
}

interface Args {
  _: string[]
  quick: boolean
  full: boolean
  keep: boolean
  json: boolean
  runs?: string | undefined
}

/** Throws a UsageError. */
export function read({ _: names, quick, full, keep, json, runs: text }: Args): Choice {
  if (quick && full) throw new UsageError('--quick and --full are both given: leave out one')
  const runs = text === undefined ? undefined : readWhole(text, 1, maxRuns)
  if (text !== undefined && runs === undefined)
    throw new UsageError(`--runs ${text} is not a number of runs: give 1 or more`)
  const given = sizes[quick ? 'quick' : full ? 'full' : 'normal']
  const size = runs === undefined ? given : { ...given, repetitions: runs }
  const plan = names[0] === 'goals' ? planFor(chosenGoals(names.slice(1)), size) : undefined
  return {
    size,
    plan,
    series: plan?.series ?? chosen(allSeries(size), names, runs),
    isAll: names.length === 0,
    isKept: keep,
    isJson: json,
  }
}

/** What can be named, for help. */
export const choices: readonly HelpRow[] = [
  ['goals', `Which goals are met; with rows of them: ${goalRows.join(', ')}`],
  ...rowsOf(allSeries(sizes.normal)),
]

// --- internal ---

const maxRuns = 1_000

/** The goals of these rows; all without any. */
function chosenGoals(rows: readonly string[]): Goal[] {
  needKnown(rows, goalRows, 'row of goals')
  return goals.filter(({ row }) => rows.length === 0 || rows.includes(row))
}

/** The series, subjects and workloads that are named; all of a kind of which none is named. */
function chosen(all: readonly Series[], names: readonly string[], runs: number | undefined): Series[] {
  const { subjects, workloads } = namesIn(all)
  needKnown(names, [...all.map(nameOf), ...subjects, ...workloads], 'series, subject or workload')
  /** Of these items those named, or all where none of `kind` is. */
  const among = <T extends { name: string }>(kind: readonly string[], items: readonly T[]) =>
    names.some(name => kind.includes(name)) ? items.filter(({ name }) => names.includes(name)) : items
  return among(all.map(nameOf), all)
    .map(one => ({
      ...one,
      subjects: [
        ...among(subjects, one.subjects),
        ...(one.onRequest ?? []).filter(({ name }) => names.includes(name)),
      ],
      workloads: among(workloads, one.workloads),
      repetitions: runs ?? one.repetitions,
    }))
    .filter(one => one.subjects.length > 0 && one.workloads.length > 0)
}

function rowsOf(all: readonly Series[]): HelpRow[] {
  const { subjects, workloads } = namesIn(all)
  const list = (names: readonly string[]) => [...new Set(names)].join(', ')
  return [
    ['<series>', list(all.map(nameOf))],
    ['<subject>', list(subjects)],
    ['<workload>', list(workloads)],
  ]
}

function nameOf({ name }: { name: string }): string {
  return name
}

function namesIn(all: readonly Series[]): { subjects: string[]; workloads: string[] } {
  return {
    subjects: all.flatMap(({ subjects, onRequest = [] }) => [...subjects, ...onRequest]).map(nameOf),
    workloads: all.flatMap(one => one.workloads).map(nameOf),
  }
}

function needKnown(names: readonly string[], known: readonly string[], what: string): void {
  const unknown = names.find(name => !known.includes(name))
  if (unknown !== undefined)
    throw new UsageError(
      `there is no ${what} '${unknown}'${didYouMean(unknown, [...new Set(known)])} See --help.`,
    )
}
