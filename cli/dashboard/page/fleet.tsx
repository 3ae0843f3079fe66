import type { ComponentChildren } from 'preact'
import { formatBytes, formatCount, formatDuration, formatShare } from '../../client/stats/format.ts'
import { type ExitStatus, pathKind, type State } from '../../client/stats/state.ts'
import { stepNames } from '../../client/stats/step-names.ts'
import { Bans } from './bans.tsx'
import { Spark } from './spark.tsx'

interface FleetProps extends ExitsProps {
  /** Bans the exit that served a site last. Gives whether that could be done. */
  onBan: (site: string) => Promise<boolean>
}

interface ExitsProps {
  state: State
  /** Replaces an exit, or all of them. */
  onRotate: (session?: string) => void
}

/** The exits, each with its state and how long it has. */
export function Fleet({ state, onRotate, onBan }: FleetProps) {
  const { exits, sleep } = state
  const current = phases.flatMap(phase => exits.filter(exit => exit.phase === phase))
  const over = exits.filter(({ phase }) => phase === 'ended')
  return (
    <section aria-labelledby="fleet">
      <div class="bar">
        <h2 id="fleet">Fleet</h2>
        <button
          type="button"
          disabled={!exits.some(({ phase }) => phase === 'active')}
          title={`Replaces every exit. ${whatHappens}`}
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
      <Exits state={state} exits={current} onRotate={onRotate} />
      {over.length > 0 && (
        <details class="past">
          <summary>{over.length} ended in the last half minute</summary>
          <Exits state={state} exits={over} onRotate={onRotate} />
        </details>
      )}
      <Bans state={state} onBan={onBan} />
    </section>
  )
}

// --- internal ---

/** Those that are there, in this order. */
const phases = ['active', 'launching', 'draining'] as const

/** What a rotation does to connections. */
const whatHappens =
  'New connections go to the replacement when it is up; open ones go on until they end, or the old exit must.'

function Exits({ state, exits, onRotate }: ExitsProps & { exits: ExitStatus[] }) {
  return (
    <ul class="exits">
      {exits.map(exit => (
        <Exit
          key={exit.session}
          exit={exit}
          now={state.now}
          note={noteOf(state, exit)}
          paths={
            state.series[0]?.points.slice(-sparkPoints).flatMap(({ paths }) => paths[exit.session] ?? []) ??
            []
          }
          onRotate={() => onRotate(exit.session)}
        />
      ))}
    </ul>
  )
}

/** A minute, with a point a second. */
const sparkPoints = 60

interface ExitProps {
  exit: ExitStatus
  now: number
  note: string
  paths: { rttMs: number; loss: number }[]
  onRotate: () => void
}

function Exit({ exit, now, note, paths, onRotate }: ExitProps) {
  const { session, region, address, phase, silent, readyAt } = exit
  const health = silent ? 'silent' : phase === 'ended' && readyAt === undefined ? 'failed' : phase
  // A draining exit has what is left of its function's time; the others what is left until their replacement is due.
  const until = phase === 'ended' ? undefined : phase === 'draining' ? exit.deadlineAt : exit.replaceAt
  const left = until === undefined ? undefined : Math.max(0, until - now)
  const sparks: Record<string, ComponentChildren> = {
    'Round trip': (
      <Spark label="Round trip in the last minute" values={paths.map(({ rttMs }) => rttMs)} least={10} />
    ),
    Loss: <Spark label="Loss in the last minute" values={paths.map(({ loss }) => loss)} least={0.01} />,
  }
  return (
    <li class={`exit ${tones[health]}`} data-session={session} data-phase={phase} data-silent={silent}>
      <div class="bar">
        <h3>
          {region} <span class="address">{address}</span>
        </h3>
        <span class={`badge ${tones[health]}`}>{health}</span>
      </div>
      <p class="id">session {session}</p>
      {note && <p class="doing">{note}</p>}
      {left !== undefined && (
        <div class="left">
          <progress
            max={until! - readyAt!}
            value={left}
            aria-label={`Time left of exit ${address ?? session}`}
          />
          <span>
            {phase === 'draining'
              ? `${formatDuration(left)} left`
              : left === 0
                ? 'being replaced'
                : `replaced in ${formatDuration(left)}`}
          </span>
        </div>
      )}
      {readyAt !== undefined && (
        <dl>
          {figuresOf(exit, now).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd data-figure={name}>
                {value}
                {sparks[name]}
              </dd>
            </div>
          ))}
        </dl>
      )}
      {health === 'active' && (
        <button
          type="button"
          onClick={onRotate}
          title={`Replaces this exit. ${whatHappens}`}
          aria-label={`Rotate exit ${address ?? ''} in ${region}, session ${session}`}
        >
          Rotate
        </button>
      )}
    </li>
  )
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
  const path = pathKind(exit)
  return [
    ['Round trip', rttMs === undefined ? '–' : rttMs < 1 ? 'under 1 ms' : formatDuration(rttMs)],
    ['Loss', formatShare(packetsSent > 0 ? packetsLost / packetsSent : 0)],
    ['Connections', formatCount(connections)],
    ['Down', formatBytes(bytesDown)],
    ['Up', formatBytes(bytesUp)],
    ['Age', formatDuration((endedAt ?? now) - readyAt!)],
    [
      'Path',
      path === undefined ? '–' : path === 'relayed' ? 'by a relay' : `${pathNames[path]}, ${candidate}`,
    ],
    ['QUIC', engines ? [...new Set([engines.client, engines.exit])].filter(Boolean).join(' / ') : '–'],
  ]
}

const pathNames = { direct: 'direct', mapped: 'open port' }

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
