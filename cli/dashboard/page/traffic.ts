import { html } from 'htm/preact'
import { h } from 'preact'
import { useState } from 'preact/hooks'
import { formatDuration, formatRate, formatShare } from '../format.ts'
import type { Point, State } from '../state.ts'
import { Chart, type Line } from './chart.ts'

const spans = [
  { name: '5 minutes', ms: 300_000 },
  { name: '1 hour', ms: 3_600_000 },
  { name: '12 hours', ms: 43_200_000 },
]

/** Throughput, connections, and the paths to the exits over time. */
export function Traffic({ state }: { state: State }) {
  const [chosen, setChosen] = useState(0)
  const points = state.series[chosen]?.points ?? []
  const span = { from: state.now - spans[chosen]!.ms, to: state.now }
  const sessions = [...new Set(points.flatMap(({ paths }) => Object.keys(paths)))]
  const regions = new Map(state.setUps.map(({ session, region }) => [session, region]))
  const ofEach = (value: (path: { rttMs: number; loss: number }) => number): Line[] =>
    sessions.slice(-mostPaths).map((session, i) => ({
      name: `${regions.get(session) ?? ''} ${session.slice(0, 6)}`.trim(),
      color: `--path-${i % mostPaths}`,
      values: points.map(({ paths }) => (paths[session] ? value(paths[session]) : null)),
    }))
  const chart = (title: string, lines: Line[], least: number, format: (value: number) => string) =>
    h(Chart, {
      title,
      lines,
      least,
      format,
      times: points.map(({ at }) => at / 1000),
      from: span.from / 1000,
      to: span.to / 1000,
    })
  const line = (name: string, color: string, value: (point: Point) => number): Line => ({
    name,
    color,
    values: points.map(value),
  })

  return html`
    <section aria-labelledby="traffic">
      <div class="bar">
        <h2 id="traffic">Traffic</h2>
        <fieldset class="choice">
          <legend class="hidden">Time shown</legend>
          ${spans.map(
            ({ name }, i) =>
              html`<label key=${name}><input type="radio" name="span" checked=${i === chosen} onChange=${() => setChosen(i)} /><span>${name}</span></label>`,
          )}
        </fieldset>
      </div>
      <div class="charts">
        ${chart('Throughput', [line('Down', '--down', ({ down }) => down * 8), line('Up', '--up', ({ up }) => up * 8)], 1e6, bits => formatRate(bits / 8))}
        ${chart('Connections', [line('Open', '--count', ({ connections }) => connections)], 5, count => String(Math.round(count * 10) / 10))}
        ${chart(
          'Round-trip time',
          ofEach(({ rttMs }) => rttMs),
          10,
          formatDuration,
        )}
        ${chart(
          'Packets lost',
          ofEach(({ loss }) => loss),
          0.01,
          formatShare,
        )}
      </div>
    </section>`
}

// --- internal ---

/** Lines in a chart of sessions; those that came last are shown. */
const mostPaths = 6
