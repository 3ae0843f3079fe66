import { formatBytes, formatDuration, formatShare } from '../../client/stats/format.ts'
import type { SessionState, State } from '../../client/stats/state.ts'
import { stepNames } from './steps.ts'

interface FleetProps {
  state: State
  /** Replaces an exit, or all of them. */
  onRotate: (session?: string) => void
}

/** The exits, each with its state and how long it has. */
export function Fleet({ state, onRotate }: FleetProps) {
  const { sessions, now } = state
  return (
    <section aria-labelledby="fleet">
      <div class="bar">
        <h2 id="fleet">Fleet</h2>
        <button
          type="button"
          disabled={!sessions.some(({ role }) => role === 'active')}
          onClick={() => onRotate()}
        >
          Rotate all now
        </button>
      </div>
      {sessions.length === 0 && <p class="empty">{whyNone(state)}</p>}
      <ul class="exits">
        {sessions.map(session => (
          <Exit
            key={session.id}
            session={session}
            now={now}
            doing={doing(state, session)}
            onRetire={() => onRotate(session.id)}
          />
        ))}
      </ul>
    </section>
  )
}

// --- internal ---

interface ExitProps {
  session: SessionState
  now: number
  doing: string
  onRetire: () => void
}

function Exit({ session, now, doing, onRetire }: ExitProps) {
  const { id, region, address, role, silent, readyAt, deadlineAt } = session
  const health = silent ? 'silent' : role === 'ended' && readyAt === undefined ? 'failed' : role
  const left = role === 'ended' || deadlineAt === undefined ? undefined : Math.max(0, deadlineAt - now)
  return (
    <li class={`exit ${tones[health]}`} data-session={id} data-role={role} data-silent={silent}>
      <div class="bar">
        <h3>
          {region} <span class="address">{address}</span>
        </h3>
        <span class={`badge ${tones[health]}`}>{names[health]}</span>
      </div>
      <p class="id">session {id}</p>
      {doing && <p class="doing">{doing}</p>}
      {left !== undefined && (
        <div class="left">
          <progress
            max={deadlineAt! - readyAt!}
            value={left}
            aria-label={`Time left of exit ${address ?? id}`}
          />
          <span>{formatDuration(left)} left</span>
        </div>
      )}
      {readyAt !== undefined && (
        <dl>
          {figuresOf(session, now).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd data-figure={name}>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {health === 'active' && (
        <button
          type="button"
          onClick={onRetire}
          aria-label={`Retire exit ${address ?? ''} in ${region}, session ${id}`}
        >
          Retire
        </button>
      )}
    </li>
  )
}

const names = {
  launching: 'coming up',
  active: 'active',
  silent: 'silent',
  draining: 'draining',
  ended: 'ended',
  failed: 'failed',
}
const tones = {
  launching: 'waiting',
  active: 'good',
  silent: 'bad',
  draining: 'waiting',
  ended: 'over',
  failed: 'bad',
}

function figuresOf(session: SessionState, now: number): [string, string][] {
  const { rttMs, packetsSent, packetsLost, connections, bytesDown, bytesUp, readyAt, endedAt } = session
  return [
    ['Round trip', rttMs === undefined ? '–' : rttMs < 1 ? 'under 1 ms' : formatDuration(rttMs)],
    ['Loss', formatShare(packetsSent > 0 ? packetsLost / packetsSent : 0)],
    ['Connections', String(connections)],
    ['Down', formatBytes(bytesDown)],
    ['Up', formatBytes(bytesUp)],
    ['Age', formatDuration((endedAt ?? now) - readyAt!)],
  ]
}

/** What is going on with an exit that cannot be used. */
function doing({ setUps }: State, { id, role, silent, reason }: SessionState): string {
  if (role === 'ended') return reason ?? ''
  if (silent) return 'It answers no probes: new connections go elsewhere.'
  if (role === 'draining') return 'It takes no new connections; those it has go on.'
  if (role === 'active') return ''
  const done = setUps.find(({ session }) => session === id)?.steps.length ?? 0
  const steps = Object.values(stepNames)
  return `Set-up, step ${done + 1} of ${steps.length}: ${steps[done] ?? 'done'} …`
}

function whyNone({ setUps }: State): string {
  const failure = setUps[0]?.failure
  return failure
    ? `There is no exit. The last launch failed: ${failure.message}`
    : 'There is no exit yet: the first one is about to be launched.'
}
