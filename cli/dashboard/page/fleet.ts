import { html } from 'htm/preact'
import { h } from 'preact'
import { formatBytes, formatDuration, formatShare } from '../format.ts'
import type { SessionState, State } from '../state.ts'
import { stepNames } from './steps.ts'

/** The exits, each with its state and how long it has. */
export function Fleet({ state, onRotate }: { state: State; onRotate: (session?: string) => void }) {
  const { sessions, now } = state
  const rotatable = sessions.some(({ role }) => role === 'active')
  return html`
    <section aria-labelledby="fleet">
      <div class="bar">
        <h2 id="fleet">Fleet</h2>
        <button type="button" disabled=${!rotatable} onClick=${() => onRotate()}>Rotate all now</button>
      </div>
      ${sessions.length === 0 && html`<p class="empty">${whyNone(state)}</p>`}
      <ul class="exits">
        ${sessions.map(session => h(Exit, { key: session.id, session, now, doing: doing(state, session), onRetire: () => onRotate(session.id) }))}
      </ul>
    </section>`
}

// --- internal ---

interface ExitProps {
  session: SessionState
  now: number
  doing: string
  onRetire: () => void
}

function Exit({ session, now, doing, onRetire }: ExitProps) {
  const { id, region, address, role, silent, readyAt, deadlineAt, rttMs, packetsSent, packetsLost } = session
  const health = silent ? 'silent' : role
  const tone =
    silent || (role === 'ended' && readyAt === undefined)
      ? 'bad'
      : { launching: 'waiting', active: 'good', draining: 'waiting', ended: 'over' }[role]
  const left = deadlineAt === undefined ? undefined : Math.max(0, deadlineAt - now)
  const whole = deadlineAt === undefined || readyAt === undefined ? 1 : deadlineAt - readyAt
  const figures: [string, string][] = [
    ['Round trip', rttMs === undefined ? '–' : rttMs < 1 ? 'under 1 ms' : formatDuration(rttMs)],
    ['Loss', formatShare(packetsSent > 0 ? packetsLost / packetsSent : 0)],
    ['Connections', String(session.connections)],
    ['Down', formatBytes(session.bytesDown)],
    ['Up', formatBytes(session.bytesUp)],
    ['Age', formatDuration((session.endedAt ?? now) - (readyAt ?? session.launchedAt))],
  ]
  return html`
    <li class="exit ${tone}" data-session=${id} data-role=${role} data-silent=${String(silent)}>
      <div class="bar">
        <h3>${region} <span class="address">${address ?? ''}</span></h3>
        <span class="badge ${tone}">${healthNames[health]}</span>
      </div>
      <p class="id">session ${id}</p>
      ${doing && html`<p class="doing">${doing}</p>`}
      ${
        left !== undefined &&
        role !== 'ended' &&
        html`
        <div class="left">
          <progress max=${whole} value=${left} aria-label="Time left of exit ${address ?? id}"></progress>
          <span>${formatDuration(left)} left</span>
        </div>`
      }
      ${readyAt !== undefined && html`<dl>${figures.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd data-figure=${name}>${value}</dd></div>`)}</dl>`}
      ${role === 'active' && html`<button type="button" onClick=${onRetire} aria-label="Retire exit ${address ?? ''} in ${region}, session ${id}">Retire</button>`}
    </li>`
}

const healthNames = {
  launching: 'coming up',
  active: 'active',
  draining: 'draining',
  ended: 'ended',
  silent: 'silent',
}

/** What is going on with an exit that cannot be used. */
function doing({ setUps }: State, session: SessionState): string {
  if (session.role === 'ended') return session.reason ?? ''
  if (session.silent) return 'It answers no probes: new connections go elsewhere.'
  if (session.role === 'draining') return 'It takes no new connections; those it has go on.'
  if (session.role !== 'launching') return ''
  const done = setUps.find(setUp => setUp.session === session.id)?.steps ?? []
  const steps = Object.entries(stepNames)
  return `Set-up, step ${done.length + 1} of ${steps.length}: ${steps[done.length]?.[1] ?? 'done'} …`
}

function whyNone({ setUps }: State): string {
  const failure = setUps[0]?.failure
  return failure
    ? `There is no exit. The last launch failed: ${failure.message}`
    : 'There is no exit yet: the first one is about to be launched.'
}
