import { useState } from 'preact/hooks'
import { formatEndpoint } from '../../../tunnel/net/endpoint.ts'
import {
  formatBytes,
  formatCount,
  formatDollars,
  formatDuration,
  formatRate,
} from '../../client/stats/format.ts'
import { type CostState, isAccepting, type SleepState, type State } from '../../client/stats/state.ts'
import { schemeNames } from '../../input/scheme.ts'
import { Addresses } from './addresses.tsx'
import { Connections } from './connections.tsx'
import { Cost } from './cost.tsx'
import { Destinations } from './destinations.tsx'
import { Fleet } from './fleet.tsx'
import { Launches } from './launches.tsx'
import { useLive } from './live.ts'
import { useMedia } from './media.ts'
import { Rejections } from './rejections.tsx'
import { Traffic } from './traffic.tsx'
import { Users } from './users.tsx'

export function App() {
  const { state, connected, rotate, ban } = useLive()
  const [trouble, setTrouble] = useState('')
  const narrow = useMedia('(max-width: 640px)')
  const onRotate = (session?: string) => {
    setTrouble('')
    rotate(session).catch(error => setTrouble(`The exit could not be rotated: ${error.message}`))
  }
  const onBan = async (site: string) => {
    setTrouble('')
    try {
      await ban(site)
      return true
    } catch (error) {
      setTrouble(`No exit was banned: ${(error as Error).message}`)
      return false
    }
  }
  return (
    <>
      <header>
        <h1>lambda-nat-proxy</h1>
        <p class="where">
          {state?.proxy && (
            <>
              Applications connect to{' '}
              {state.proxy.listeners.map(({ scheme, host, port }, i) => (
                <span key={i}>
                  {i > 0 && ', '}
                  <code>{formatEndpoint({ address: host, port })}</code> ({schemeNames[scheme]})
                </span>
              ))}
            </>
          )}
        </p>
        <p class={`link ${connected ? 'good' : 'bad'}`} role="status">
          {connected
            ? 'live'
            : state
              ? 'Connection to the proxy lost. Reconnecting …'
              : 'Connecting to the proxy …'}
        </p>
      </header>
      <main class={connected ? '' : 'stale'}>
        {trouble && (
          <p class="trouble" role="alert">
            {trouble}
          </p>
        )}
        {state && (
          <>
            <Figures state={state} />
            <Fleet state={state} onRotate={onRotate} onBan={onBan} />
            {narrow && <Connections key="connections" state={state} />}
            <Traffic key="traffic" state={state} />
            {!narrow && <Connections key="connections" state={state} />}
            <Users state={state} />
            <Rejections state={state} />
            <div class="pair">
              <Destinations state={state} />
              <Cost state={state} />
            </div>
            <Addresses state={state} />
            <Launches state={state} />
            <footer>
              Version {state.version}, up for {formatDuration(state.now - state.startedAt)}. The same figures:{' '}
              <a href="/api/state">JSON</a>, <a href="/metrics">Prometheus</a>, <a href="/healthz">health</a>.
            </footer>
          </>
        )}
      </main>
    </>
  )
}

// --- internal ---

function exitsNote({ phase, wakes, lastWakeMs }: SleepState): string {
  if (phase !== 'awake') return 'until a connection comes'
  if (lastWakeMs === undefined) return 'ready'
  return `ready; woken ${wakes === 1 ? 'once' : `${wakes} times`}, last in ${formatDuration(lastWakeMs)}`
}

function costNote({ total, perHour, budget }: CostState, local: boolean): string {
  if (local) return `here; on AWS about ${formatDollars(total)}`
  if (budget) return `${formatDollars(budget.spent)} of ${formatDollars(budget.budget)} this ${budget.period}`
  return perHour === undefined ? 'so far' : `${formatDollars(perHour)} an hour`
}

/** What one wants to know at a glance. */
function Figures({ state: { exits, sleep, totals, rate, cost, local } }: { state: State }) {
  const accepting = exits.filter(isAccepting).length
  const figures = [
    ['Exits', sleep.phase === 'awake' ? String(accepting) : sleep.phase, exitsNote(sleep)],
    ['Down', formatRate(rate.down), `${formatBytes(totals.bytesDown)} so far`],
    ['Up', formatRate(rate.up), `${formatBytes(totals.bytesUp)} so far`],
    [
      'Connections',
      formatCount(totals.active),
      [
        `${formatCount(totals.opened)} so far`,
        ...(totals.refused > 0 ? [`${formatCount(totals.refused)} refused`] : []),
        ...(totals.failed > 0 ? [`${formatCount(totals.failed)} failed`] : []),
      ].join(', '),
    ],
    ['Cost', local ? '$0' : formatDollars(cost.total), costNote(cost, local)],
  ]
  return (
    <dl class="figures" aria-label="At a glance">
      {figures.map(([name, value, note]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value}
            <small>{note}</small>
          </dd>
        </div>
      ))}
    </dl>
  )
}
