import { BarChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

use([BarChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer])

export interface Bars {
  title: string
  categories: readonly string[]
  /** A bar in each category, in a colour of its own. */
  groups: readonly { name: string; values: readonly (number | undefined)[] }[]
  /** For figures that differ by powers of ten. */
  logarithmic?: boolean
}

/** Pixels. */
const width = 900
const barHeight = 11
const gap = 12
const margin = { top: 100, right: 60, bottom: 30 }
/** About; without a browser nobody knows how wide a text is. */
const characterWidth = 7.5
const fontFamily = 'sans-serif'

/** Horizontal bars as SVG. */
export function bars({ title, categories, groups, logarithmic = false }: Bars): string {
  const height = margin.top + margin.bottom + categories.length * (groups.length * barHeight + gap)
  const longest = Math.max(...categories.map(({ length }) => length))
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily },
    title: { text: title, left: 'center', top: 10, textStyle: { fontSize: 15 } },
    legend: {
      top: 36,
      itemHeight: 10,
      itemWidth: 18,
      itemGap: 24,
      padding: [0, 60],
      textStyle: { fontSize: 11 },
    },
    grid: { ...margin, left: 20 + longest * characterWidth, outerBoundsMode: 'none' },
    xAxis: logarithmic ? { type: 'log', min: 1 } : { type: 'value' },
    yAxis: { type: 'category', data: categories, inverse: true, axisTick: { show: false } },
    series: groups.map(({ name, values }) => ({
      type: 'bar' as const,
      name,
      barWidth: barHeight - 1,
      data: values.map(value => (value === undefined ? '-' : Number(value.toPrecision(3)))),
      label: { show: true, position: 'right' as const, fontSize: 9 },
    })),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  // A name for who cannot see it, and no styles of a pointer that hovers.
  return svg
    .replace(/<style.*<\/style>\n?/s, '')
    .replace('>', `>\n<title>${title}</title>`)
    .concat('\n')
}
