import { useState } from 'preact/hooks'
import { formatCount, formatDuration, formatRate, formatShare } from '../../client/stats/format.ts'
import type { Point, State } from '../../client/stats/state.ts'
import { Chart, type Line } from './chart.tsx'

/** What is shown of each of the proxy's series. */
const spans = [
  { name: '5 minutes', seconds: 300 },
  { name: '1 hour', seconds: 3_600 },
  { name: '12 hours', seconds: 43_200 },
]
/** Lines in a chart of exits; those that came last are shown. */
const maxPaths = 6

/** Throughput, connections, and the paths to the exits over time. */
export function Traffic({ state }: { state: State }) {
  const [selected, setSelected] = useState(0)
  const points = state.series[selected]?.points ?? []
  const to = state.now / 1000
  const time = { times: points.map(({ at }) => at / 1000), from: to - spans[selected]!.seconds, to }
  const line = (name: string, color: string, value: (point: Point) => number): Line => ({
    name,
    color,
    values: points.map(value),
  })
  const paths = pathsOf(state, points)
  return (
    <section aria-labelledby="traffic">
      <div class="bar">
        <h2 id="traffic">Traffic</h2>
        <fieldset class="choice">
          <legend class="hidden">Time shown</legend>
          {spans.map(({ name }, i) => (
            <label key={name}>
              <input type="radio" name="span" checked={i === selected} onChange={() => setSelected(i)} />
              <span>{name}</span>
            </label>
          ))}
        </fieldset>
      </div>
      <div class="charts">
        <Chart
          title="Throughput"
          lines={[line('Down', '--down', ({ down }) => down * 8), line('Up', '--up', ({ up }) => up * 8)]}
          least={1e6}
          format={bits => formatRate(bits / 8)}
          {...time}
        />
        <Chart
          title="Connections"
          lines={[line('Open', '--count', ({ connections }) => connections)]}
          least={5}
          format={count => (count < 100 ? String(Math.round(count * 10) / 10) : formatCount(count))}
          {...time}
        />
        <Chart
          title="Round-trip time"
          lines={paths(({ rttMs }) => rttMs)}
          least={10}
          format={formatDuration}
          {...time}
        />
        <Chart
          title="Packets lost"
          lines={paths(({ loss }) => loss)}
          least={0.01}
          format={formatShare}
          {...time}
        />
      </div>
    </section>
  )
}

// --- internal ---

/** Gives the lines, one an exit, of a figure of the paths. */
function pathsOf({ launches }: State, points: Point[]) {
  const known = new Map(launches.map(({ session, region, address }) => [session, [region, address]]))
  const sessions = [...new Set(points.flatMap(({ paths }) => Object.keys(paths)))].slice(-maxPaths)
  const places = sessions.map(session => (known.get(session) ?? []).filter(Boolean).join(' '))
  // One address may have several exits, as on one machine.
  const names = sessions.map((session, i) =>
    places.filter(place => place === places[i]).length > 1
      ? `${places[i]} (${session.slice(0, 4)})`.trim()
      : places[i]!,
  )
  return (value: (path: { rttMs: number; loss: number }) => number): Line[] =>
    sessions.map((session, i) => ({
      name: names[i]!,
      color: `--path-${i}`,
      values: points.map(({ paths }) => (paths[session] ? value(paths[session]) : null)),
    }))
}
