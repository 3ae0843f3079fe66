import { consola } from 'consola'
import { colors } from 'consola/utils'
import { printable } from '../../tunnel/net/printable.ts'
import type { BudgetUse, ProxyEvent, Step } from '../client/stats/events.ts'
import { formatBytes, formatDollars, formatDuration } from '../client/stats/format.ts'
import type { Model } from '../client/stats/model.ts'
import { stepNames } from '../client/stats/step-names.ts'
import { withAdvice } from './advice.ts'
import { logLine } from './log-line.ts'
import { placeLines, usageLines } from './ready-lines.ts'
import { type Refused, refusalLines, subjectOf } from './refusal-lines.ts'
import { reloadLines } from './reload-lines.ts'
import { say } from './say.ts'
import { waitingLine } from './waiting-line.ts'

/** Prints each event for a person. */
export function printer(
  { verbose, local, managed }: Record<'verbose' | 'local' | 'managed', boolean>,
  model: Model,
): (event: ProxyEvent) => void {
  const setUps = new Map<string, { step: Step; ms: number }[]>()
  /** Codes of failed connections since an exit last came up. */
  const failures = new Set<string>()
  const refusalLine = refusalLines(local)
  /** Regions whose first launch was announced. */
  const started = new Set<string>()
  let dashboard: string | undefined
  /** The session that a line is about, as the function's own log has it: the two can be joined by it. */
  const of = ({ session }: { session: string | undefined }) =>
    verbose && session !== undefined ? colors.dim(` [${session}]`) : ''
  const nameOf = ({ session }: { session: string }) => {
    const exit = model.exits.find(exit => exit.session === session)
    return exit?.address ?? (exit ? `in ${exit.region}` : session)
  }
  const siteIn = ({ site }: { site: string }) => (verbose ? printable(site) : 'a site')
  const tellRefusal = (event: Refused) => {
    const line = verbose ? undefined : refusalLine(event)
    if (line) say('warn', line)
  }
  return event => {
    switch (event.type) {
      case 'exit.launching':
        setUps.set(event.session, [])
        // Later ones are announced when they are up: one line for each exit.
        if (verbose || !started.has(event.region))
          say('start', `Starting an exit in ${event.region}${of(event)}`)
        started.add(event.region)
        break
      case 'exit.step':
        setUps.get(event.session)?.push(event)
        say('info', `${stepNames[event.step]}: ${event.detail} (${Math.round(event.ms)} ms)${of(event)}`)
        break
      case 'exit.ready':
        say(
          'success',
          `Exit ${event.address} in ${event.region} ready after ${formatDuration(event.setUpMs)}, replaced in ${formatDuration(event.replaceMs)}${event.candidate === 'relayed' ? ', by a relay' : ''}${of(event)}`,
        )
        if (verbose) consola.log(breakdown(setUps.get(event.session) ?? []))
        setUps.delete(event.session)
        failures.clear()
        break
      case 'exit.failed':
        setUps.delete(event.session)
        // A repeated reason is told once.
        if (event.repeated && !verbose) break
        say('error', `${stepNames[event.step]}: ${withAdvice(event)}${of(event)}`)
        say('info', `Retrying ${event.region} in ${duration(event.retryMs)}`)
        break
      case 'exit.waiting':
        say('info', `${waitingLine(event.region, event.limitMs)}${of(event)}`)
        break
      case 'invoke.failed':
        say('warn', `${withAdvice(event)} Waiting for S3's event instead${of(event)}`)
        break
      case 'relay.failed':
        say('warn', `No relay: ${withAdvice(event)} Direct paths are tried alone${of(event)}`)
        break
      case 'exit.moved':
        say('info', `Exit ${nameOf(event)} is reached directly now, no longer by a relay${of(event)}`)
        break
      case 'exit.silent':
        if (event.silent)
          say('warn', `Exit ${nameOf(event)} does not respond: new connections use other exits${of(event)}`)
        else say('info', `Exit ${nameOf(event)} responds again${of(event)}`)
        break
      case 'config.reloaded':
        for (const line of reloadLines(event)) say('info', line)
        break
      case 'config.rejected':
        say('error', `Settings were not reloaded: ${withAdvice(event)}`)
        break
      case 'site.banned':
        say(
          'info',
          `Exit ${printable(event.address)} no longer serves ${siteIn(event)}${event.launching ? '; an exit is being launched for it' : ''}`,
        )
        break
      case 'site.unbanned':
        say('warn', `Launches bring only addresses that ${siteIn(event)} has banned: its bans are lifted`)
        break
      case 'site.spared':
        say(
          'warn',
          `${event.bans} exits were banned for ${siteIn(event)} within ${duration(event.withinMs)}, and it answers ${event.status} again: it keeps its exit for now`,
        )
        break
      case 'fleet.throttled':
        say(
          'warn',
          `Launch budget used up: ${event.launchesPerMinute} a minute (--launches-per-minute). Launching again within a minute`,
        )
        break
      case 'address.seen':
        if (event.replaced)
          say('info', `Exit address ${event.address} was seen before: replacing the exit${of(event)}`)
        else if (!event.isNew && verbose)
          say(
            'info',
            `Address ${event.address} was seen before: ${event.exits} exits have had it${of(event)}`,
          )
        break
      case 'site.repeated':
        say(
          'warn',
          `Launches bring only addresses that ${siteIn(event)} has seen: it gets other exits at the same ones`,
        )
        break
      case 'network.changed':
        say(
          'info',
          event.change === 'pause'
            ? `Paused for ${formatDuration(event.ms)}: checking the exits`
            : 'The network changed: checking the exits',
        )
        break
      case 'fleet.asleep':
        say(
          'info',
          `Asleep: no connection for ${duration(event.idleMs)}, so no exit runs. The next connection starts one`,
        )
        break
      case 'fleet.waking':
        say('start', 'Waking: a connection asks for an exit')
        break
      case 'fleet.awake':
        say('info', `Awake after ${formatDuration(event.ms)}`)
        break
      case 'exit.draining':
        // Nothing is left to drain: its end is announced next.
        if (event.connections === 0 && !verbose) break
        say(
          'info',
          `Draining exit ${nameOf(event)}: ${event.connections} ${event.connections === 1 ? 'connection' : 'connections'}, ${duration(event.remainingMs)} left${of(event)}`,
        )
        break
      case 'exit.closed':
        // This end closes it when nothing is left on it, or when the proxy ends.
        if (event.code === 'E_QUIC_CLOSED') say('info', `Closing exit ${nameOf(event)}${of(event)}`)
        else say('warn', `Exit ${nameOf(event)} ended: ${event.message}${of(event)}`)
        break
      case 'proxy.ready':
        if (managed) for (const line of placeLines(event, dashboard, local)) say('success', line)
        else consola.box([...placeLines(event, dashboard, local), '', ...usageLines(event)].join('\n'))
        break
      case 'dashboard.ready':
        dashboard = event.url
        say(
          'info',
          `Dashboard: ${event.url}${event.busy === undefined ? '' : ` (port ${event.busy} is in use)`}`,
        )
        break
      case 'function.log':
        say(
          'log',
          `${logLine(`function ${event.level} ${event.message} ${fields(event.fields)}`)}${of(event)}`,
        )
        break
      case 'connection.opened':
        say('log', `#${event.connection} ${targetOf(event)} opened in ${Math.round(event.ms)} ms${of(event)}`)
        break
      case 'connection.refused':
        if (verbose)
          say(
            'log',
            `#${event.connection} ${targetOf(event)} refused (${event.code}): ${withAdvice(event, local)}`,
          )
        tellRefusal(event)
        break
      case 'client.rejected':
        if (verbose) say('log', `${subjectOf(event)} (${event.code}): ${withAdvice(event)}`)
        tellRefusal(event)
        break
      case 'connection.failed':
        // While there is no exit every connection fails, possibly for hours.
        if (failures.has(event.code) && !verbose) break
        failures.add(event.code)
        say(
          'warn',
          `Connection #${event.connection}${verbose ? ` to ${targetOf(event)}` : ''} failed: ${withAdvice(event)}`,
        )
        break
      case 'budget.low':
        say('warn', budgetLine(event))
        break
      case 'budget.spent':
        say(
          'warn',
          `${budgetLine(event)}. ${event.action === 'stop' ? 'Exits stop within a minute, and connections are refused' : 'Exits go on (--budget-action warn)'}`,
        )
        break
      case 'budget.renewed':
        say('success', budgetLine(event))
        break
      case 'quota.reached':
        say(
          'warn',
          `${printable(event.user)} has used up ${formatBytes(event.quota)} a ${event.period}: no connections before ${new Date(event.resetsAt).toISOString().slice(0, 10)} (UTC)`,
        )
        break
      case 'ledger.failed':
        say('error', withAdvice(event))
        break
      case 'audit.failed':
        say('error', withAdvice(event))
        break
      case 'audit.recovered':
        say(
          'success',
          `The audit file can be written again${event.lost === 0 ? '' : `; ${event.lost} entries were lost`}`,
        )
        break
      case 'connection.closed':
        say(
          'log',
          `#${event.connection} closed: ${event.bytesUp} bytes up, ${event.bytesDown} down, ${event.end}${of(event)}`,
        )
        break
    }
  }
}

// --- internal ---

/** A client names whatever it likes. */
const targetOf = ({ target }: { target: string }) => printable(target)

const budgetLine = ({ spent, budget, period }: BudgetUse) =>
  `${formatDollars(spent)} of the budget of ${formatDollars(budget)} a ${period} is spent`

const breakdown = (steps: { step: Step; ms: number }[]) =>
  `set-up: ${steps.map(({ step, ms }) => `${stepNames[step]} ${formatDuration(ms)}`).join(', ')}`

const duration = (ms: number) =>
  ms >= 90_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 1000)} s`

const fields = (object: object) =>
  Object.entries(object)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
