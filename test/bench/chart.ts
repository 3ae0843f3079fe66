import { BarChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { finder, type Report } from './report.ts'
import type { Series } from './series.ts'

use([BarChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer])

/** The charts of a run as SVG, by file name. */
export function charts(report: Report, series: readonly Series[]): Map<string, string> {
  const find = finder(report)
  const has = (subject: string, place: string) =>
    report.trials.some(trial => trial.subject === subject && trial.place === place)
  const made = new Map<string, string>()
  for (const { name, subjects, places } of series) {
    const shown = subjects.filter(subject => places.some(place => has(subject.name, place.name)))
    if (shown.length === 0) continue
    const titles = shown.map(({ title }) => title.replaceAll(/[*`]/g, ''))
    if (name === 'far') {
      const groups = shown.map((subject, i) => ({
        name: titles[i]!,
        values: places.map(place => find(subject.name, 'down', place.name)?.mbits),
      }))
      const title = `One stream down by delay and loss, Mbit/s (${report.date})`
      made.set(
        'far.svg',
        bars(
          title,
          places.map(place => place.name),
          groups,
          true,
        ),
      )
    } else {
      const groups = (['down', 'up'] as const).map(way => ({
        name: `one stream ${way}`,
        values: shown.map(subject => find(subject.name, way)?.mbits),
      }))
      const where = name === 'held' ? 'the function held to a share of a core' : 'loopback'
      made.set(`${name}.svg`, bars(`Throughput, ${where}, Mbit/s (${report.date})`, titles, groups))
    }
  }
  return made
}

// --- internal ---

interface Group {
  name: string
  values: (number | undefined)[]
}

const width = 900
const barHeight = 14

/** Horizontal bars, by category and group; logarithmic where figures differ by powers of ten. */
function bars(title: string, categories: string[], groups: Group[], logarithmic = false): string {
  const height = 110 + categories.length * (groups.length * barHeight + 14)
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: title, left: 'center', textStyle: { fontSize: 15 } },
    legend: { top: 30 },
    grid: { left: 10, right: 60, top: 70, bottom: 10 },
    xAxis: logarithmic ? { type: 'log', min: 0.1 } : { type: 'value' },
    yAxis: { type: 'category', data: categories, inverse: true },
    series: groups.map(({ name, values }) => ({
      type: 'bar' as const,
      name,
      barWidth: barHeight - 2,
      data: values.map(value => (value ? Number(value.toPrecision(3)) : '-')),
      label: { show: true, position: 'right' as const, fontSize: 10 },
    })),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return `${svg}\n`
}
