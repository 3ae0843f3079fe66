import type { Starter } from '../../../tunnel/signalling/offer-record.ts'
import { formatDuration } from '../../client/stats/format.ts'
import type { LaunchStatus, State } from '../../client/stats/state.ts'
import { stepNames } from '../../client/stats/step-names.ts'
import { timeOf } from './time.ts'

/** How exits came up, step by step, the newest first. */
export function Launches({ state: { launches } }: { state: State }) {
  return (
    <section aria-labelledby="launches">
      <h2 id="launches">Launches</h2>
      {launches.length === 0 && <p class="empty">No exit has been launched yet.</p>}
      {launches.map((launch, i) => (
        <Launch key={launch.session} launch={launch} open={i === 0} />
      ))}
    </section>
  )
}

// --- internal ---

const startNames: Record<Starter, string> = {
  s3: 'started by the event of S3',
  invoke: 'started by a call of Invoke',
}

interface Bar {
  name: string
  kind: string
  from: number
  ms: number
  detail: string
}

function Launch({ launch, open }: { launch: LaunchStatus; open: boolean }) {
  const { session, region, launchedAt, totalMs, failure } = launch
  const bars = barsOf(launch)
  const whole = Math.max(totalMs ?? 0, ...bars.map(({ from, ms }) => from + ms), 1)
  const outcome = failure ? 'failed' : totalMs === undefined ? 'launching' : formatDuration(totalMs)
  const share = (ms: number) => `${(ms / whole) * 100}%`
  return (
    <details open={open} class="launch">
      <summary>
        <span>{region}</span> <span class="id">{session}</span>{' '}
        <span class={failure ? 'bad' : ''}>{outcome}</span> <time>{timeOf(launchedAt)}</time>
      </summary>
      {failure && (
        <p class="bad">
          {stepNames[failure.step]}: {failure.message}
          {failure.hint && `. ${failure.hint}`}
        </p>
      )}
      <table class="waterfall">
        <caption class="hidden">Steps of the launch of session {session}</caption>
        <thead class="hidden">
          <tr>
            <th scope="col">Step</th>
            <th scope="col">When</th>
            <th scope="col">Duration</th>
            <th scope="col">What came of it</th>
          </tr>
        </thead>
        <tbody>
          {bars.map(({ name, kind, from, ms, detail }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="track">
                <div class={`step ${kind}`} style={{ left: share(from), width: share(ms) }}>
                  <span class="hidden">from {formatDuration(from)} on</span>
                </div>
              </td>
              <td class="number">{formatDuration(ms)}</td>
              <td class="detail wide">{detail}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}

/** What lies between the steps is shown from here on. Milliseconds. */
const leastBetweenMs = 5

/**
 * The steps one after the other; the wait for the answer in two, where it is known when the function began. They add up
 * to the whole: what was in no step has a bar of its own.
 */
function barsOf({ steps, totalMs = 0, failure }: LaunchStatus): Bar[] {
  const bars: Bar[] = []
  let from = 0
  for (const { step, ms, detail, functionStartMs = 0, startedBy } of steps) {
    if (functionStartMs > 0)
      bars.push({
        name: 'Function start',
        kind: 'start',
        from,
        ms: functionStartMs,
        detail:
          startedBy === undefined ? 'until its code ran' : `until its code ran, ${startNames[startedBy]}`,
      })
    bars.push({
      name: stepNames[step],
      kind: step,
      from: from + functionStartMs,
      ms: ms - functionStartMs,
      detail,
    })
    from += ms
  }
  const between = failure ? 0 : totalMs - from
  if (between >= leastBetweenMs)
    bars.push({ name: 'Between', kind: 'start', from, ms: between, detail: 'what was in no step' })
  return bars
}
