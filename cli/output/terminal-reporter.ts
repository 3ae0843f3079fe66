import { consola } from 'consola'
import { colors } from 'consola/utils'
import { formatEndpoint } from '../../tunnel/net/endpoint.ts'
import { printable } from '../../tunnel/net/printable.ts'
import type { ListenerAddress, ProxyEvent, Step } from '../client/stats/events.ts'
import type { Model } from '../client/stats/model.ts'
import { schemeNames } from '../input/scheme.ts'
import { withAdvice } from './advice.ts'
import { liveLine } from './live-line.ts'
import { type Refused, refusalLines } from './refusal-lines.ts'

/** Shows events as they come. */
export interface Reporter {
  event(event: ProxyEvent): void
  close(): void
}

/**
 * Lines for a person: what comes up and what goes wrong; with `verbose` every connection and the function's
 * own log too. On a terminal the line below them follows what goes on.
 */
export function terminalReporter(verbose: boolean, model: Model): Reporter {
  const print = printer(verbose)
  const live = liveLine(model)
  return {
    event(event) {
      if (event.type === 'traffic.sampled') return live.draw()
      if (!verbose && isDetail(event)) return
      live.clear()
      print(event)
      live.draw()
    },
    close: live.close,
  }
}

/** Whoever reads the output may leave: the proxy goes on without, since its exits must be told when it ends. */
export function outliveReader(): void {
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
}

// --- internal ---

/** A line of the function's log is cut off here, with its stack trace in mind. Characters. */
const maxLogLength = 4_000

/** What is shown with `verbose` only: what happens to each connection, and the function's log but for its errors. */
const isDetail = (event: ProxyEvent) =>
  event.type === 'connection.opened' ||
  event.type === 'connection.closed' ||
  (event.type === 'function.log' && event.level !== 'ERROR')

function printer(verbose: boolean): (event: ProxyEvent) => void {
  const setUps = new Map<string, { step: Step; ms: number }[]>()
  /** The codes of why connections have failed since an exit last came up. */
  const failures = new Set<string>()
  const refusalLine = refusalLines()
  const tellRefusal = (event: Refused) => {
    const line = verbose ? undefined : refusalLine(event)
    if (line) consola.warn(line)
  }
  return event => {
    switch (event.type) {
      case 'exit.launching':
        setUps.set(event.session, [])
        consola.start(`Starting an exit in ${event.region}${of(event)}`)
        break
      case 'exit.step':
        setUps.get(event.session)?.push(event)
        consola.info(`${stepNames[event.step]} ${event.detail} (${Math.round(event.ms)} ms)${of(event)}`)
        break
      case 'exit.ready':
        consola.success(
          `Exit ${event.address} in ${event.region} is up after ${Math.round(event.setUpMs)} ms, for ${duration(event.remainingMs)}${of(event)}`,
        )
        if (verbose) consola.log(breakdown(setUps.get(event.session) ?? []))
        setUps.delete(event.session)
        failures.clear()
        break
      case 'exit.failed':
        setUps.delete(event.session)
        // The same reason again and again is told once.
        if (!event.repeated || verbose)
          consola.error(`${stepNames[event.step]} ${withAdvice(event)}${of(event)}`)
        if (!event.repeated) consola.info(`${event.region} is tried again from ${duration(event.retryMs)} on`)
        break
      case 'exit.silent':
        if (event.silent) consola.warn(`An exit is silent: new connections go elsewhere${of(event)}`)
        else consola.info(`The exit is heard again${of(event)}`)
        break
      case 'fleet.budget':
        consola.warn(
          `The launch budget of ${event.launchesPerMinute} a minute is used up (--launches-per-minute): launches go on when a minute has passed`,
        )
        break
      case 'exit.draining':
        consola.info(
          `An exit takes no new connections; its ${event.connections} have ${duration(event.remainingMs)} left${of(event)}`,
        )
        break
      case 'exit.closed':
        consola.info(`An exit ended: ${event.message}${of(event)}`)
        break
      case 'proxy.ready':
        consola.box(
          [
            ...event.listeners.map(each => `Proxy ready on ${place(each)}`),
            `Exit address ${event.address}`,
          ].join('\n'),
        )
        break
      case 'dashboard.ready':
        consola.info(
          `Dashboard: ${event.url}${event.busy === undefined ? '' : ` (port ${event.busy} is in use)`}`,
        )
        break
      case 'function.log':
        consola.log(
          `${printable(`function ${event.level} ${event.message} ${fields(event.fields)}`, maxLogLength)}${of(event)}`,
        )
        break
      case 'connection.opened':
        if (verbose)
          consola.log(`#${event.connection} ${event.target} opened in ${Math.round(event.ms)} ms${of(event)}`)
        break
      case 'connection.refused':
        if (verbose)
          consola.log(`#${event.connection} ${event.target} refused (${event.code}): ${withAdvice(event)}`)
        tellRefusal(event)
        break
      case 'client.rejected':
        if (verbose) consola.log(`Rejected client (${event.protocol}, ${event.code}): ${withAdvice(event)}`)
        tellRefusal(event)
        break
      case 'connection.failed':
        // While there is no exit, every connection fails, for hours it may be.
        if (failures.has(event.code) && !verbose) break
        failures.add(event.code)
        consola.warn(
          `Connection #${event.connection}${verbose ? ` to ${event.target}` : ''} failed: ${withAdvice(event)}`,
        )
        break
      case 'connection.closed':
        consola.log(
          `#${event.connection} closed: ${event.bytesUp} bytes up, ${event.bytesDown} down, ${event.end}${of(event)}`,
        )
        break
    }
  }
}

const stepNames: Record<Step, string> = {
  stun: 'STUN:',
  offer: 'Offer:',
  answer: 'Answer:',
  punch: 'Punch:',
  quic: 'QUIC:',
  hello: 'Hello:',
}

/** The session that a line is about, as the function's own log has it: the two can be joined by it. */
const of = ({ session }: { session: string | undefined }) =>
  session === undefined ? '' : colors.dim(` [${session}]`)

const place = ({ scheme, host, port }: ListenerAddress) =>
  `${formatEndpoint({ address: host, port })} (${schemeNames[scheme]})`

const breakdown = (steps: { step: Step; ms: number }[]) =>
  `set-up: ${steps.map(({ step, ms }) => `${step} ${ms.toFixed(0)} ms`).join(', ')}`

const duration = (ms: number) =>
  ms >= 90_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 1000)} s`

const fields = (object: object) =>
  Object.entries(object)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
