import { type Find, finder, type Report } from '../report.ts'
import type { Series } from '../series.ts'
import { type Bars, bars } from './bars.ts'

/** The charts of a run as SVG, by file name; those for which it has figures. */
export function charts(report: Report, series: readonly Series[]): Map<string, string> {
  const find = finder(report)
  const made = series
    .filter(({ name }) => charted.includes(name))
    .map(one => [one.name, (one.name === 'far' ? byPlace : bySubject)(one, find)] as const)
  return new Map(
    made
      .filter(([, { groups }]) => groups.some(({ values }) => values.some(value => value !== undefined)))
      .map(([name, chart]) => [`${name}.svg`, bars({ ...chart, title: `${chart.title} (${report.date})` })]),
  )
}

// --- internal ---

const charted: readonly Series['name'][] = ['near', 'far', 'held']

const ways = ['down', 'up'] as const

/** What stands in a table, without its emphasis. */
const plain = (title: string) => title.replaceAll(/[*`]/g, '')

function byPlace({ places, subjects }: Series, find: Find): Bars {
  return {
    title: 'One stream down by delay and loss, Mbit/s, logarithmic',
    categories: places.map(({ name }) => name),
    groups: subjects
      .map(({ name, title }) => ({
        name: plain(title),
        values: places.map(place => find(name, 'down', place.name)?.mbits),
      }))
      .filter(({ values }) => values.some(value => value !== undefined)),
    logarithmic: true,
  }
}

function bySubject({ name, subjects }: Series, find: Find): Bars {
  const shown = subjects.filter(subject => ways.some(way => find(subject.name, way)))
  const where = name === 'held' ? 'with the function held to its share of a core' : 'on the loopback address'
  return {
    title: `One stream ${where}, Mbit/s`,
    categories: shown.map(({ title }) => plain(title)),
    groups: ways.map(way => ({ name: way, values: shown.map(subject => find(subject.name, way)?.mbits) })),
  }
}
