import type { Place } from './place.ts'
import type { Series } from './series.ts'
import type { Subject } from './subjects/subject.ts'
import { middle, runTrial, type Trial } from './trial.ts'
import type { Workload } from './workloads.ts'

/** Told of what could not be measured. */
export type Leave = (what: string, error: unknown) => void

/** Every workload on every subject, in turn, so that other load on the machine touches all alike. */
export async function runSeries(series: Series, leave: Leave): Promise<Trial[]> {
  const available = await prepare(series, leave)
  const all: Trials = new Map()
  for (const { name, open } of available.length > 0 ? series.places : []) {
    let place: Place | undefined
    try {
      place = await open()
      await runPlace(place, { ...series, subjects: available }, all, leave)
    } catch (error) {
      leave(`failed: ${name || 'loopback'}`, error)
    } finally {
      await place?.close()
    }
  }
  return [...all.values()].map(({ trials, workload }) => middle(trials, workload))
}

// --- internal ---

/** What was measured of each workload on each subject in each place. */
type Trials = Map<string, { workload: Workload; trials: Trial[] }>

/** The subjects that this machine can have; the others are named, loudly. */
async function prepare(series: Series, leave: Leave): Promise<Subject[]> {
  const available: Subject[] = []
  try {
    await series.prepare?.()
  } catch (error) {
    leave(`${series.name}: not on this machine`, error)
    return available
  }
  for (const subject of series.subjects) {
    try {
      await subject.prepare?.()
      available.push(subject)
    } catch (error) {
      leave(`${subject.name} cannot be had on this machine`, error)
    }
  }
  return available
}

async function runPlace(place: Place, series: Series, all: Trials, leave: Leave): Promise<void> {
  const { subjects, workloads, warmUp, repetitions, suits } = series
  for (let repetition = 1; repetition <= repetitions; repetition++)
    for (const workload of workloads)
      for (const subject of subjects) {
        if (subject.oneStream && !workload.suitsPairs) continue
        if (suits && !suits(subject.name, workload.name)) continue
        const what = [place.name, subject.name, workload.title].filter(Boolean).join(', ')
        try {
          const trial = await runTrial(place, subject, workload, warmUp)
          const key = `${place.name} ${subject.name} ${workload.name}`
          const before = all.get(key)?.trials ?? []
          all.set(key, { workload, trials: [...before, trial] })
          const { failures, why } = trial
          const failed = failures > 0 ? `, ${failures} FAILED: ${why}` : ''
          console.error(
            `${repetition}/${repetitions} ${what}: ${trial[workload.figure].toPrecision(4)} ${workload.figure}${failed}`,
          )
        } catch (error) {
          leave(`failed: ${what}`, error)
        }
      }
}
