import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { version } from '../../package.json'
import type { Events } from '../client/stats/events.ts'
import type { Model } from '../client/stats/model.ts'
import { type CostState, type ExitStatus, pathKind, type UserState } from '../client/stats/state.ts'

export interface Metrics {
  /** Prometheus's text format, and its content type. */
  text(): Promise<string>
  readonly type: string
  /** Follows the events no longer. */
  close(): void
}

const prefix = 'lambda_nat_proxy_'

/** What the model knows, for Prometheus: base units, `_total` on what only grows. */
export function createMetrics(model: Model, events: Events): Metrics {
  const registry = new Registry()
  type Sample = [labels: Record<string, string>, value: number]

  /** A metric that is read from the model when it is asked for. */
  const read = (
    kind: 'counter' | 'gauge',
    name: string,
    help: string,
    labelNames: string[],
    samples: () => Sample[],
  ) => {
    const options = { name: prefix + name, help, labelNames, registers: [registry] }
    if (kind === 'gauge')
      new Gauge({
        ...options,
        collect() {
          this.reset()
          for (const [labels, value] of samples()) this.set(labels, value)
        },
      })
    else
      new Counter({
        ...options,
        collect() {
          this.reset()
          for (const [labels, value] of samples()) this.inc(labels, value)
        },
      })
  }
  const live = () => model.exits.filter(({ phase }) => phase !== 'ended')
  const byExit = (value: (exit: ExitStatus) => number | undefined): Sample[] =>
    live().flatMap(exit => {
      const known = value(exit)
      return known === undefined ? [] : [[{ session: exit.session, region: exit.region }, known]]
    })

  read('gauge', 'build_info', 'The version that runs.', ['version'], () => [[{ version }, 1]])
  read(
    'counter',
    'traffic_bytes_total',
    'Bytes carried: down to the applications, up from them.',
    ['direction', 'outbound', 'region'],
    () =>
      model.carried.flatMap(({ outbound, region, bytesDown, bytesUp }): Sample[] => {
        const labels = { outbound, ...(region !== undefined && { region }) }
        return [
          [{ direction: 'down', ...labels }, bytesDown],
          [{ direction: 'up', ...labels }, bytesUp],
        ]
      }),
  )
  read('gauge', 'open_connections', 'Connections that are open.', [], () => [[{}, model.totals.active]])
  read('counter', 'connections_total', 'Connections asked for, by outcome.', ['outcome'], () => [
    [{ outcome: 'opened' }, model.totals.opened],
    [{ outcome: 'refused' }, model.totals.refused],
    [{ outcome: 'failed' }, model.totals.failed],
  ])
  read('counter', 'connection_errors_total', 'Connections refused or failed, by error code.', ['code'], () =>
    [...model.connectionErrors].map(([code, count]) => [{ code }, count]),
  )
  read(
    'counter',
    'clients_rejected_total',
    'Clients rejected before they asked for a target.',
    ['code'],
    () => [...model.rejections].map(([code, { count }]) => [{ code }, count]),
  )
  const byUser = (samples: (user: UserState) => [labels: Record<string, string>, value: number][]) => () =>
    model.users.flatMap(state =>
      samples(state).map(([labels, value]): Sample => [{ user: state.user, ...labels }, value]),
    )
  read(
    'counter',
    'user_traffic_bytes_total',
    'Bytes carried for a login.',
    ['user', 'direction'],
    byUser(({ bytesDown, bytesUp }) => [
      [{ direction: 'down' }, bytesDown],
      [{ direction: 'up' }, bytesUp],
    ]),
  )
  read(
    'gauge',
    'user_open_connections',
    'Connections of a login that are open.',
    ['user'],
    byUser(({ active }) => [[{}, active]]),
  )
  read(
    'counter',
    'user_connections_total',
    'Connections that a login asked for, by outcome.',
    ['user', 'outcome'],
    byUser(({ connections, notMade }) => [
      [{ outcome: 'opened' }, connections],
      [{ outcome: 'not_made' }, notMade],
    ]),
  )
  read(
    'gauge',
    'user_quota_bytes',
    'Bytes that a login may use in its day or month.',
    ['user'],
    byUser(({ quota }) => (quota === undefined ? [] : [[{}, quota]])),
  )
  read(
    'gauge',
    'user_used_bytes',
    'Bytes that a login has used in its day or month, of all runs.',
    ['user'],
    byUser(({ used }) => (used === undefined ? [] : [[{}, used]])),
  )
  read('gauge', 'exits', 'Exits by region and state.', ['region', 'state'], () => {
    const counts = new Map<string, Sample>()
    for (const { region, phase, silent } of live()) {
      const labels = { region, state: silent ? 'silent' : phase }
      const key = `${region} ${labels.state}`
      counts.set(key, [labels, (counts.get(key)?.[1] ?? 0) + 1])
    }
    return [...counts.values()]
  })
  read('gauge', 'distinct_addresses', 'Public addresses that exits have had since the start.', [], () => [
    [{}, model.distinctAddresses],
  ])
  read('gauge', 'asleep', '1 while no exit runs because nobody uses the proxy.', [], () => [
    [{}, model.sleep.phase === 'asleep' ? 1 : 0],
  ])
  read('counter', 'launches_total', 'Exits launched.', [], () => [[{}, model.totals.launches]])
  read('counter', 'launch_failures_total', 'Launches that failed.', [], () => [
    [{}, model.totals.launchesFailed],
  ])
  const exit = ['session', 'region']
  read('gauge', 'exit_rtt_seconds', 'Round-trip time to an exit.', exit, () =>
    byExit(({ rttMs }) => (rttMs === undefined ? undefined : rttMs / 1000)),
  )
  read('gauge', 'exit_path_info', 'How packets go between an exit and here.', [...exit, 'path'], () =>
    live().flatMap((exit): Sample[] => {
      const { session, region } = exit
      const path = pathKind(exit)
      return path === undefined ? [] : [[{ session, region, path }, 1]]
    }),
  )
  read('counter', 'exit_packets_sent_total', 'Packets sent to an exit.', exit, () =>
    byExit(({ packetsSent }) => packetsSent),
  )
  read('counter', 'exit_packets_lost_total', 'Packets sent to an exit that were lost.', exit, () =>
    byExit(({ packetsLost }) => packetsLost),
  )
  read('gauge', 'exit_deadline_timestamp_seconds', "When an exit's time is up.", exit, () =>
    byExit(({ deadlineAt }) => (deadlineAt === undefined ? undefined : deadlineAt / 1000)),
  )
  read('counter', 'lambda_gb_seconds_total', 'What the functions used, in GB-seconds.', [], () => [
    [{}, model.cost().gbSeconds],
  ])
  read('counter', 'cost_dollars_total', 'What that costs about, in US dollars.', ['item'], () =>
    Object.entries(model.cost().items).map(([item, dollars]) => [{ item }, dollars]),
  )

  const byBudget = (value: (budget: NonNullable<CostState['budget']>) => number) => (): Sample[] => {
    const { budget } = model.cost()
    return budget ? [[{ period: budget.period }, value(budget)]] : []
  }
  read(
    'gauge',
    'budget_dollars',
    'The budget of the day or month, in US dollars.',
    ['period'],
    byBudget(({ budget }) => budget),
  )
  read(
    'gauge',
    'budget_spent_dollars',
    'What all runs on this machine have spent of it.',
    ['period'],
    byBudget(({ spent }) => spent),
  )

  const launch = new Histogram({
    name: `${prefix}launch_duration_seconds`,
    help: 'From the launch of an exit until it can be used.',
    buckets: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30],
    registers: [registry],
  })
  const wake = new Histogram({
    name: `${prefix}wake_duration_seconds`,
    help: 'From the first connection after a sleep until its exit is there.',
    buckets: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30],
    registers: [registry],
  })
  const connect = new Histogram({
    name: `${prefix}connect_duration_seconds`,
    help: 'From the request of an application until its connection is there.',
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  })
  const close = events.subscribe(event => {
    if (event.type === 'exit.ready') launch.observe(event.setUpMs / 1000)
    if (event.type === 'fleet.awake') wake.observe(event.ms / 1000)
    if (event.type === 'connection.opened') connect.observe(event.ms / 1000)
  })
  processMetrics(registry)
  return { text: () => registry.metrics(), type: registry.contentType, close }
}

// --- internal ---

/** The three that every dashboard for processes knows; prom-client's own set leans on Node's internals. */
function processMetrics(registry: Registry): void {
  const registers = [registry]
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the process started.',
    registers,
  }).set(performance.timeOrigin / 1000)
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Memory that the process has.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss())
    },
  })
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / 1e6)
    },
  })
}
