import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { useMedia } from './media.ts'
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

const height = 160

/** Lines over time, with a legend that tells the values under the pointer, or the last ones. */
export function Chart({ title, times, lines, from, to, least, format }: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(null)
  const shown = useRef({ from, to })
  const [pointed, setPointed] = useState<number | null>()
  const theme = useMedia('(prefers-color-scheme: dark)')
  shown.current = { from, to }

  const data: uPlot.AlignedData = [times, ...lines.map(({ values }) => values)]
  const look = lines.map(({ name, color }) => `${name} ${color}`).join()
  // It is made anew for other lines and other colours; new values are set below.
  useEffect(() => {
    const element = place.current!
    const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
    const axis = { stroke: css('--muted'), grid: { stroke: css('--line'), width: 1 }, ticks: { show: false } }
    const made = new uPlot(
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
          { ...axis, size: 28, space: 70, values: (_, times) => times.map(time => clock(time * 1000)) },
          { ...axis, size: 78, space: 32, values: (_, values) => values.map(value => brief(format(value))) },
        ],
        series: [
          {},
          ...lines.map(({ name, color }) => ({
            label: name,
            stroke: css(color),
            width: 1.6,
            points: { show: false },
            ...(lines.length <= 2 && { fill: `${css(color)}22` }),
          })),
        ],
        hooks: { setCursor: [({ cursor }) => setPointed(cursor.idx)] },
      },
      data,
      element,
    )
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
    }
  }, [look, theme])
  useEffect(() => plot.current?.setData(data), [times.at(-1), from, to, look, theme])

  const told = lines.map(line => ({ ...line, value: valueAt(line, pointed ?? times.length - 1, format) }))
  return (
    <figure class="chart">
      <figcaption>
        <span class="title">{title}</span>
        <span class="legend">
          {told.map(({ name, color, value }) => (
            <span key={name}>
              <i style={{ background: `var(${color})` }} />
              {name} <b>{value}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div
        ref={place}
        role="img"
        aria-label={`${title} over time. ${told.map(({ name, value }) => `${name}: ${value}`).join(', ') || 'Nothing yet'}`}
      />
    </figure>
  )
}

// --- internal ---

function valueAt({ values }: Line, index: number, format: (value: number) => string): string {
  const value = values[index]
  return value === null || value === undefined ? '–' : format(value)
}

/** A figure at an axis needs no zeros behind the point. */
const brief = (text: string) => text.replace(/\.0+ /, ' ')
