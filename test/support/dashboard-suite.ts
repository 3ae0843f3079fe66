import { suite, type Test } from 'uvu'
import type { Which } from '../../cli/client/fleet/requests.ts'
import { createEvents, type Events, type ProxyEvent } from '../../cli/client/stats/events.ts'
import { createModel } from '../../cli/client/stats/model.ts'
import type { State } from '../../cli/client/stats/state.ts'
import { type Dashboard, startDashboard } from '../../cli/dashboard/server.ts'
import { controlled } from './controlled.ts'
import { patient } from './patience.ts'

export interface DashboardContext {
  events: Events
  dashboard: Dashboard
  url: string
  /** What was asked to be rotated. */
  rotated: Which[]
  told: ProxyEvent[]
}

export const apiToken = 'token-of-a-file'

export function start(events: Events, rotated: Which[], port?: number): Dashboard {
  const model = createModel(events)
  return startDashboard({
    host: '127.0.0.1',
    port,
    model,
    events,
    control: controlled(model, rotated),
    apiToken,
  })
}

/** A suite in which every test has a dashboard of its own. */
export function dashboardSuite(name: string): Test<DashboardContext> {
  const test = suite<DashboardContext>(name)
  test.before.each(context => {
    context.events = createEvents()
    context.told = []
    context.events.subscribe(event => context.told.push(event))
    context.rotated = []
    context.dashboard = start(context.events, context.rotated, 0)
    context.url = `http://127.0.0.1:${context.dashboard.port}`
  })

  test.after.each(({ dashboard }) => dashboard.close())
  return test
}

/** An exit is launched and comes up. */
export function comeUp({ events }: Pick<DashboardContext, 'events'>, session = 'a'): void {
  events.emit({ type: 'exit.launching', session, region: 'eu-west-1' })
  events.emit({ type: 'exit.step', session, step: 'offer', ms: 1, detail: '' })
  events.emit({
    type: 'exit.ready',
    session,
    region: 'eu-west-1',
    address: '192.0.2.1',
    remainingMs: 600_000,
    replaceMs: 600_000,
    setUpMs: 100,
    memoryMb: 256,
    engines: { client: 'quiche 0.18.0', exit: 'quiche 0.18.0' },
  })
}

/** What does not come in this time does not come. Milliseconds. */
const limitMs = patient(10_000)

export interface Message {
  event: string
  data: { token: string } & State
}

/** The messages of a live stream as they come. */
export async function* follow(url: string): AsyncGenerator<Message, undefined> {
  const stop = new AbortController()
  const { body } = await fetch(`${url}/api/stream`, {
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(limitMs)]),
  })
  let text = ''
  try {
    for await (const part of body!.pipeThrough(new TextDecoderStream())) {
      text += part
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        const [, event = '', data = ''] = /event: (.*)\ndata: (.*)/.exec(text.slice(0, end)) ?? []
        text = text.slice(end + 2)
        yield { event, data: JSON.parse(data) }
      }
    }
  } finally {
    stop.abort()
  }
}
