import { html } from 'htm/preact'
import { h } from 'preact'
import { useState } from 'preact/hooks'
import { formatBytes, formatDollars, formatDuration, formatRate } from '../format.ts'
import type { State } from '../state.ts'
import { Connections } from './connections.ts'
import { Cost } from './cost.ts'
import { Destinations } from './destinations.ts'
import { Fleet } from './fleet.ts'
import { useLive } from './live.ts'
import { SetUps } from './set-ups.ts'
import { Traffic } from './traffic.ts'

export function App() {
  const { state, connected, rotate } = useLive()
  const [trouble, setTrouble] = useState('')
  const onRotate = (session?: string) => {
    setTrouble('')
    rotate(session).catch(error => setTrouble(`The exit could not be replaced: ${error.message}`))
  }
  return html`
    <header>
      <h1>lambda-nat-proxy</h1>
      <p class="where">${state?.proxy ? html`Applications connect to <code>${state.proxy.host}:${state.proxy.port}</code>` : ''}</p>
      <p class="link ${connected ? 'good' : 'bad'}" role="status">
        ${connected ? 'live' : state ? 'The connection to the proxy is lost. Trying again …' : 'Connecting to the proxy …'}
      </p>
    </header>
    <main class=${connected ? '' : 'stale'}>
      ${trouble && html`<p class="trouble" role="alert">${trouble}</p>`}
      ${
        state &&
        html`
        ${h(Figures, { state })}
        ${h(Fleet, { state, onRotate })}
        ${h(Traffic, { state })}
        ${h(Connections, { state })}
        <div class="pair">${h(Destinations, { state })}${h(Cost, { state })}</div>
        ${h(SetUps, { state })}
        <footer>Version ${state.version}, up for ${formatDuration(state.now - state.startedAt)}. The same figures: <a href="/api/state">JSON</a>, <a href="/metrics">Prometheus</a>, <a href="/healthz">health</a>.</footer>`
      }
    </main>`
}

// --- internal ---

/** What one wants to know at a glance. */
function Figures({ state: { sessions, totals, rate, cost } }: { state: State }) {
  const usable = sessions.filter(({ role, silent }) => role === 'active' && !silent).length
  const figures: [string, string, string][] = [
    ['Exits', String(usable), 'ready'],
    ['Down', formatRate(rate.down), `${formatBytes(totals.bytesDown)} so far`],
    ['Up', formatRate(rate.up), `${formatBytes(totals.bytesUp)} so far`],
    ['Connections', String(totals.active), `${totals.opened} so far`],
    [
      'Cost',
      formatDollars(cost.total),
      cost.perHour === undefined ? 'so far' : `${formatDollars(cost.perHour)} an hour`,
    ],
  ]
  return html`
    <dl class="figures" aria-label="At a glance">
      ${figures.map(([name, value, note]) => html`<div key=${name}><dt>${name}</dt><dd>${value}<small>${note}</small></dd></div>`)}
    </dl>`
}
