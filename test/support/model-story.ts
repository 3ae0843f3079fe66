import { createEvents, type Events } from '../../cli/client/stats/events.ts'
import { createModel, type Model } from '../../cli/client/stats/model.ts'
import type { ExitStatus } from '../../cli/client/stats/state.ts'

// What happens to exits and connections, as the dashboard's model hears of it.

export interface ModelContext {
  events: Events
  model: Model
  /** Milliseconds since 1970, as the model sees them. */
  clock: { now: number }
}

/** A model that knows of nothing yet. */
export function newModel(context: ModelContext): void {
  context.clock = { now: 1_000_000 }
  context.events = createEvents()
  context.model = createModel(context.events, () => context.clock.now)
}

/** An exit comes up, 200 ms after its launch. */
export function comeUp(
  { events, clock }: ModelContext,
  session: string,
  region = 'eu-west-1',
  path: Pick<ExitStatus, 'candidate' | 'byOpenPort'> = {},
): void {
  events.emit({ type: 'exit.launching', session, region })
  events.emit({ type: 'exit.step', session, step: 'stun', ms: 20, detail: '' })
  events.emit({ type: 'exit.step', session, step: 'offer', ms: 30, detail: '' })
  clock.now += 200
  events.emit({
    type: 'exit.ready',
    session,
    region,
    address: '192.0.2.1',
    remainingMs: 600_000,
    replaceMs: 600_000,
    setUpMs: 200,
    memoryMb: 256,
    engines: { client: 'quiche 0.18.0', exit: 'quiche 0.18.0' },
    ...path,
  })
}

export function open(
  { events }: ModelContext,
  connection: number,
  session: string | undefined,
  target: string,
): void {
  const outbound = session === undefined ? 'direct' : 'tunnel'
  events.emit({ type: 'connection.opened', connection, outbound, session, target, ms: 5 })
}

export function carry(
  { events }: ModelContext,
  connection: number,
  bytesUp: number,
  bytesDown: number,
): void {
  events.emit({
    type: 'traffic.sampled',
    connections: [{ connection, bytesUp, bytesDown }],
    paths: [],
  })
}

export function end(
  { events }: ModelContext,
  connection: number,
  session: string | undefined,
  up: number,
  down: number,
) {
  events.emit({
    type: 'connection.closed',
    connection,
    session,
    bytesUp: up,
    bytesDown: down,
    ms: 1,
    end: 'complete',
  })
}
