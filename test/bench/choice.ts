import { parseArgs } from 'node:util'
import type { Goal } from './goals/goal.ts'
import { goalRows, goals } from './goals/goals.ts'
import type { Series } from './series.ts'
import { type Size, sizes } from './workloads.ts'

// What the command line asks for. Whatever it names that is not there ends the bench before it begins.

interface Options {
  quick: boolean
  full: boolean
  keep: boolean
  json: boolean
  /** Of each trial; undefined: as the series says. */
  runs: number | undefined
}

export function read(): { values: Options; positionals: string[] } {
  const flag = { type: 'boolean', default: false } as const
  const options = { quick: flag, full: flag, keep: flag, json: flag, runs: { type: 'string' } } as const
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true })
    const { runs: text, ...flags } = values
    const runs = text === undefined ? undefined : Number(text)
    if (runs !== undefined && !(Number.isInteger(runs) && runs > 0))
      throw new Error(`--runs takes a number of runs, not '${text}'`)
    return { values: { ...flags, runs }, positionals }
  } catch (error) {
    return refuse((error as Error).message)
  }
}

export function sizeOf({ quick, full, runs }: Options): Size {
  const size = sizes[quick ? 'quick' : full ? 'full' : 'normal']
  return runs === undefined ? size : { ...size, repetitions: runs }
}

/** The goals of these rows; all without any. */
export function chosenGoals(rows: readonly string[]): Goal[] {
  needKnown(rows, goalRows, 'row of goals')
  return goals.filter(({ row }) => rows.length === 0 || rows.includes(row))
}

/** The series, subjects and workloads that are named; all of a kind of which none is named. */
export function chosen(all: readonly Series[], names: readonly string[], runs: number | undefined): Series[] {
  const nameOf = ({ name }: { name: string }) => name
  const subjects = all.flatMap(({ subjects, onRequest = [] }) => [...subjects, ...onRequest]).map(nameOf)
  const workloads = all.flatMap(one => one.workloads).map(nameOf)
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

// --- internal ---

function needKnown(names: readonly string[], known: readonly string[], what: string): void {
  const unknown = names.filter(name => !known.includes(name))
  if (unknown.length > 0)
    refuse(`there is no ${what} ${unknown.join(', ')}: there are ${[...new Set(known)].join(', ')}`)
}

function refuse(why: string): never {
  console.error(why)
  process.exit(2)
}
