import { finder, type Report } from '../report.ts'
import type { Series } from '../series.ts'
import type { Trial } from '../trial.ts'
import { head, number, row, short } from './markdown.ts'

/** A table a figure: a row for each delay and loss, a column for each subject. */
export function farTables(report: Report, { places, subjects }: Series): string[] {
  const find = finder(report)
  const one = (title: string, workload: string, cell: (trial: Trial) => string) => {
    const measured = subjects.filter(({ name }) => places.some(place => find(name, workload, place.name)))
    if (measured.length === 0) return []
    const rows = places.map(place =>
      row([
        place.name,
        ...measured.map(({ name }) => {
          const trial = find(name, workload, place.name)
          return trial ? cell(trial) : number(undefined)
        }),
      ]),
    )
    return ['', title, '', ...head('', ...measured.map(subject => subject.title)), ...rows]
  }
  const path = 'with delay (of a round trip) and loss (each way) between client and exit'
  return [
    ...one(`One stream down, Mbit/s, ${path}.`, 'down', ({ mbits }) => short(mbits)),
    ...one(`One stream up, Mbit/s, ${path}.`, 'up', ({ mbits }) => short(mbits)),
    ...one(
      `A short request, ms until connected / until the first byte, p50, ${path}.`,
      'single',
      ({ connectP50, firstByteP50 }) => `${short(connectP50)} / ${short(firstByteP50)}`,
    ),
  ]
}
