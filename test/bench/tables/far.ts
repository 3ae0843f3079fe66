import { finder, type Report } from '../report.ts'
import type { Series } from '../series.ts'
import type { Trial } from '../trial.ts'
import { head, number, row, short } from './markdown.ts'

/** A table a figure: a row for each delay and loss, a column for each subject. */
export function farTables(report: Report, { places, subjects }: Series): string[] {
  const find = finder(report)
  const measured = subjects.filter(subject =>
    places.some(({ name }) =>
      report.trials.some(trial => trial.place === name && trial.subject === subject.name),
    ),
  )
  const one = (title: string, workload: string, cell: (trial: Trial) => string, which = measured) => [
    '',
    title,
    '',
    ...head('', ...which.map(subject => subject.title)),
    ...places.map(({ name }) =>
      row([
        name,
        ...which.map(subject => {
          const trial = find(subject.name, workload, name)
          return trial ? cell(trial) : number(undefined)
        }),
      ]),
    ),
  ]
  if (measured.length === 0) return []
  return [
    '',
    'With delay (of a round trip) and loss (each way) between client and exit.',
    ...one('One stream down, Mbit/s.', 'down', ({ mbits }) => short(mbits)),
    ...one('One stream up, Mbit/s.', 'up', ({ mbits }) => short(mbits)),
    ...one(
      'A short request: ms until connected / until the first byte, p50.',
      'single',
      ({ connectP50, firstByteP50 }) => `${short(connectP50)} / ${short(firstByteP50)}`,
      measured.filter(({ oneStream }) => !oneStream),
    ),
  ]
}
