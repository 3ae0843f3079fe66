import { finder, type Report } from '../report.ts'
import type { Series } from '../series.ts'
import type { Trial } from '../trial.ts'
import { head, number, row, short } from './markdown.ts'

// What passes a bottleneck: alone, and beside another flow.

export function bottleneckTable(report: Report, series: Series): string[] {
  const rows = rowsOf(report, series, ({ mbits, path }) => [
    short(mbits),
    number(path && path.sentAgain * 100, 1),
    number(path && path.dropped * 100, 1),
    number(path?.roundTripP50, 1),
  ])
  if (rows.length === 0) return []
  return [
    '',
    'One stream through a bottleneck with a queue of 40 ms. Packets sent again beyond those that the link lost, of these those that the queue dropped; the round trip of a packet under this load.',
    '',
    ...head('', 'Mbit/s', 'sent again, %', 'dropped by the queue, %', 'round trip p50, ms'),
    ...rows,
  ]
}

export function besideTable(report: Report, series: Series): string[] {
  const rows = rowsOf(report, series, ({ share, mbits, path }) => [
    number(share, 2),
    short(mbits),
    number(path?.roundTripP50, 1),
  ])
  if (rows.length === 0) return []
  return [
    '',
    'One stream beside one TCP flow with CUBIC on that bottleneck: its share of what both bring.',
    '',
    ...head('', 'share', 'Mbit/s', 'round trip p50, ms'),
    ...rows,
  ]
}

// --- internal ---

/** A row for each subject, place and workload. */
function rowsOf(
  report: Report,
  { subjects, places, workloads }: Series,
  cells: (trial: Trial) => string[],
): string[] {
  const find = finder(report)
  return places.flatMap(place =>
    workloads.flatMap(workload =>
      subjects.flatMap(subject => {
        const trial = find(subject.name, workload.name, place.name)
        return trial ? [row([`${place.name}, ${workload.title}: ${subject.title}`, ...cells(trial)])] : []
      }),
    ),
  )
}
