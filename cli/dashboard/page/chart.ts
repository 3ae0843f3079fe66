import { html } from 'htm/preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { browser, type PageElement } from './browser.ts'
import { clock } from './time.ts'

export interface Line {
  name: string
  /** The custom property of the style sheet that has its colour. */
  color: string
  values: (number | null)[]
}

export interface ChartProps {
  title: string
  /** Seconds since 1970, for each value of each line. */
  times: number[]
  lines: Line[]
  /** The time shown, in seconds since 1970. */
  from: number
  to: number
  /** The scale goes up to this value at least: small changes are shown as small. */
  least: number
  format: (value: number) => string
}

const height = 170

/** Lines over time, with a legend that tells the values under the pointer, or the last ones. */
export function Chart({ title, times, lines, from, to, least, format }: ChartProps) {
  const place = useRef<PageElement>(null)
  const plot = useRef<uPlot>(null)
  const shown = useRef({ from, to })
  const [pointed, setPointed] = useState<number | null>()
  const [theme, setTheme] = useState(0)
  shown.current = { from, to }

  useEffect(() => {
    const scheme = browser.matchMedia('(prefers-color-scheme: dark)')
    const change = () => setTheme(n => n + 1)
    scheme.addEventListener('change', change)
    return () => scheme.removeEventListener('change', change)
  }, [])

  const data: uPlot.AlignedData = [times, ...lines.map(({ values }) => values)]
  const look = lines.map(({ name, color }) => `${name} ${color}`).join()
  useEffect(() => {
    const element = place.current!
    const css = (name: string) =>
      browser.getComputedStyle(browser.document.documentElement).getPropertyValue(name)
    const axis = { stroke: css('--muted'), grid: { stroke: css('--line'), width: 1 }, ticks: { show: false } }
    const drawn = new uPlot(
      {
        width: element.clientWidth,
        height,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
        scales: {
          x: { range: () => [shown.current.from, shown.current.to] },
          y: { range: (_, __, max) => [0, Math.max(max * 1.1, least)] },
        },
        axes: [
          { ...axis, space: 70, values: (_, times) => times.map(time => clock(time * 1000)) },
          {
            ...axis,
            size: 78,
            space: 32,
            values: (_, values) => values.map(value => format(value).replace(/\.0+ /, ' ')),
          },
        ],
        series: [
          {},
          ...lines.map(({ name, color }) => ({
            label: name,
            stroke: css(color),
            width: 1.6,
            points: { show: false },
            ...(lines.length <= 2 && { fill: `${css(color).trim()}22` }),
          })),
        ],
        hooks: { setCursor: [({ cursor }) => setPointed(cursor.idx)] },
      },
      data,
      element as never,
    )
    plot.current = drawn
    const observer = new browser.ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      drawn.destroy()
    }
    // What is drawn anew for: other lines, or other colours. New values are set below.
  }, [look, theme])
  useEffect(() => plot.current?.setData(data), [times.at(-1), to, look, theme])

  const at = pointed ?? times.length - 1
  const told = lines.map(line => ({ ...line, told: valueAt(line, at, format) }))
  return html`
    <figure class="chart">
      <figcaption>
        <span class="title">${title}</span>
        <span class="legend">${told.map(({ name, color, told }) => html`<span key=${name}><i style=${{ background: `var(${color})` }}></i>${name} <b>${told}</b></span>`)}</span>
      </figcaption>
      <div ref=${place} role="img" aria-label="${title} over time. ${told.map(({ name, told }) => `${name}: ${told}`).join(', ') || 'Nothing yet'}"></div>
    </figure>`
}

// --- internal ---

function valueAt({ values }: Line, index: number, format: (value: number) => string): string {
  const value = values[index]
  return value === null || value === undefined ? '–' : format(value)
}
