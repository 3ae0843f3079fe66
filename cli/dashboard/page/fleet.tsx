import { formatBytes, formatDuration, formatShare } from '../../client/stats/format.ts'
import type { ExitStatus, State } from '../../client/stats/state.ts'
import { stepNames } from './steps.ts'

interface FleetProps {
  state: State
  /** Replaces an exit, or all of them. */
  onRotate: (session?: string) => void
}

/** The exits, each with its state and how long it has. */
export function Fleet({ state, onRotate }: FleetProps) {
  const { exits, sleep, now } = state
  return (
    <section aria-labelledby="fleet">
      <div class="bar">
        <h2 id="fleet">Fleet</h2>
        <button
          type="button"
          disabled={!exits.some(({ phase }) => phase === 'active')}
          onClick={() => onRotate()}
        >
          Rotate all
        </button>
      </div>
      {sleep.phase === 'awake' ? (
        exits.length === 0 && <p class="empty">{whyNone(state)}</p>
      ) : (
        <p class="empty" data-sleep={sleep.phase}>
          {sleepNote(state)}
        </p>
      )}
      <ul class="exits">
        {exits.map(exit => (
          <Exit
            key={exit.session}
            exit={exit}
            now={now}
            note={noteOf(state, exit)}
            onRotate={() => onRotate(exit.session)}
          />
        ))}
      </ul>
    </section>
  )
}

// --- internal ---

interface ExitProps {
  exit: ExitStatus
  now: number
  note: string
  onRotate: () => void
}

function Exit({ exit, now, note, onRotate }: ExitProps) {
  const { session, region, address, phase, silent, readyAt, deadlineAt } = exit
  const health = silent ? 'silent' : phase === 'ended' && readyAt === undefined ? 'failed' : phase
  const left = phase === 'ended' || deadlineAt === undefined ? undefined : Math.max(0, deadlineAt - now)
  return (
    <li class={`exit ${tones[health]}`} data-session={session} data-phase={phase} data-silent={silent}>
      <div class="bar">
        <h3>
          {region} <span class="address">{address}</span>
        </h3>
        <span class={`badge ${tones[health]}`}>{names[health]}</span>
      </div>
      <p class="id">session {session}</p>
      {note && <p class="doing">{note}</p>}
      {left !== undefined && (
        <div class="left">
          <progress
            max={deadlineAt! - readyAt!}
            value={left}
            aria-label={`Time left of exit ${address ?? session}`}
          />
          <span>{formatDuration(left)} left</span>
        </div>
      )}
      {readyAt !== undefined && (
        <dl>
          {figuresOf(exit, now).map(([name, value]) => (
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
          onClick={onRotate}
          aria-label={`Rotate exit ${address ?? ''} in ${region}, session ${session}`}
        >
          Rotate
        </button>
      )}
    </li>
  )
}

const names = {
  launching: 'launching',
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

function figuresOf(exit: ExitStatus, now: number): [string, string][] {
  const { rttMs, packetsSent, packetsLost, connections, bytesDown, bytesUp, readyAt, endedAt } = exit
  const { engines, candidate } = exit
  return [
    ['Round trip', rttMs === undefined ? '–' : rttMs < 1 ? 'under 1 ms' : formatDuration(rttMs)],
    ['Loss', formatShare(packetsSent > 0 ? packetsLost / packetsSent : 0)],
    ['Connections', String(connections)],
    ['Down', formatBytes(bytesDown)],
    ['Up', formatBytes(bytesUp)],
    ['Age', formatDuration((endedAt ?? now) - readyAt!)],
    ['Path', candidate === undefined ? '–' : candidate === 'relayed' ? 'by a relay' : `direct, ${candidate}`],
    ['QUIC', engines ? [...new Set([engines.client, engines.exit])].filter(Boolean).join(' / ') : '–'],
  ]
}

/** What is going on with an exit that takes no new connections. */
function noteOf({ launches }: State, { session, phase, silent, reason }: ExitStatus): string {
  if (phase === 'ended') return reason ?? ''
  if (silent) return 'No answer to probes: new connections use other exits.'
  if (phase === 'draining') return 'No new connections; open ones may finish.'
  if (phase === 'active') return ''
  const done = launches.find(launch => launch.session === session)?.steps.length ?? 0
  const steps = Object.values(stepNames)
  return `Step ${done + 1} of ${steps.length}: ${steps[done] ?? 'done'} …`
}

function sleepNote({ sleep: { phase, since }, now }: State): string {
  const time = formatDuration(now - since)
  return phase === 'asleep'
    ? `Asleep for ${time}: no exit runs. The next connection starts one.`
    : `Waking for ${time}: a connection waits for an exit.`
}

function whyNone({ launches, cost: { budget } }: State): string {
  if (budget?.state === 'spent' && budget.action === 'stop')
    return 'No exit: the budget is used up, and none is launched.'
  const failure = launches[0]?.failure
  return failure
    ? `No exit. The last launch failed: ${failure.message}`
    : 'No exit yet: the first launch is about to start.'
}
