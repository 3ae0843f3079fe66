import { version } from '../../../package.json'
import { BoundedMap } from '../../../tunnel/net/bounded-map.ts'
import { createAddresses } from './addresses.ts'
import { createBans } from './bans.ts'
import { createConnections } from './connections.ts'
import { costOf } from './cost.ts'
import { createDestinations } from './destinations.ts'
import type { Change, Events, OutboundName, ProxyEvent } from './events.ts'
import { createExits } from './exits.ts'
import { createSeries } from './series.ts'
import { createSleep } from './sleep.ts'
import type {
  ConnectionState,
  CostState,
  ExitStatus,
  RejectionState,
  SleepState,
  State,
  Totals,
  UserState,
} from './state.ts'
import { createUsers } from './users.ts'

/** What an outbound has carried; through the tunnel, by the exit's region. */
export interface CarriedState {
  outbound: OutboundName
  region: string | undefined
  bytesUp: number
  bytesDown: number
}

/** Everything that is shown, kept from the events alone: page, metrics and live line read it here. */
export interface Model {
  /** All of it; with `since` only the connections and points of that moment and later. */
  state(since?: number): State
  readonly totals: Totals
  /** The exits run on this machine, and cost nothing. */
  readonly local: boolean
  /** Since it was made. Milliseconds. */
  readonly uptimeMs: number
  readonly rate: { down: number; up: number }
  readonly exits: ExitStatus[]
  readonly sleep: SleepState
  /** How many public addresses exits have had. */
  readonly distinctAddresses: number
  cost(): CostState
  readonly carried: readonly CarriedState[]
  /** Connections that were refused or failed, by the code of the reason. */
  readonly connectionErrors: ReadonlyMap<string, number>
  /** Clients that were rejected, by the code of the reason. */
  readonly rejections: ReadonlyMap<string, RejectionState>
  readonly users: UserState[]
}

/** The page shows this many destinations. */
const maxDestinations = 50
/** Of the system's own codes any may come. */
const maxErrorCodes = 100
/** The rate of the cost is that of the last minute. */
const costWindowMs = 60_000
const shortestCostWindowMs = 10_000

/** A rate is that of so many samples: of a single one it jumps about too much to be read. */
const rateSamples = 4

/** Follows the events from now on. `now` gives milliseconds since 1970; `local`: the exits run on this machine. */
export function createModel(events: Events, now: () => number = Date.now, local = false): Model {
  const exits = createExits()
  const connections = createConnections()
  const destinations = createDestinations()
  const series = createSeries()
  const users = createUsers()
  const startedAt = now()
  const sleep = createSleep(startedAt)
  const addresses = createAddresses()
  const bans = createBans()
  const counts = {
    bytesUp: 0,
    bytesDown: 0,
    opened: 0,
    refused: 0,
    failed: 0,
    rejected: 0,
    launches: 0,
    launchesFailed: 0,
  }
  const carried = new Map<string, CarriedState>()
  const connectionErrors = new BoundedMap<string, number>(maxErrorCodes)
  const rejections = new BoundedMap<string, RejectionState>(maxErrorCodes)
  const costs: { at: number; total: number }[] = [{ at: startedAt, total: 0 }]
  const samples = [{ at: startedAt, bytesUp: 0, bytesDown: 0 }]
  let rate = { down: 0, up: 0 }
  let proxy: State['proxy']
  let budget: CostState['budget']

  const carry = (
    { session, outbound = 'tunnel', target, user }: ConnectionState,
    up: number,
    down: number,
  ) => {
    counts.bytesUp += up
    counts.bytesDown += down
    destinations.carry(target, up, down)
    users.carry(user, up, down)
    if (session !== undefined) exits.carry(session, up, down)
    const region = session === undefined ? undefined : exits.region(session)
    const key = `${outbound} ${region}`
    const total = carried.get(key) ?? { outbound, region, bytesUp: 0, bytesDown: 0 }
    total.bytesUp += up
    total.bytesDown += down
    carried.set(key, total)
  }
  const connect = (event: ProxyEvent, at: number) => {
    connections.apply(event, at, (connection, up, down) => {
      if (up > 0 || down > 0) carry(connection, up, down)
      if (event.type === 'traffic.sampled') return
      const { session, target, user } = connection
      const change = event.type === 'connection.opened' ? 1 : -1
      destinations.connect(target, change)
      users.connect(user, change)
      if (session !== undefined) exits.connect(session, change)
    })
  }
  const sample = (event: Extract<ProxyEvent, { type: 'traffic.sampled' }>, at: number) => {
    const { bytesUp, bytesDown } = counts
    const rateSince = (earlier: (typeof samples)[number]) => {
      const seconds = Math.max(at - earlier.at, 1) / 1000
      return { down: (bytesDown - earlier.bytesDown) / seconds, up: (bytesUp - earlier.bytesUp) / seconds }
    }
    rate = rateSince(samples[0]!)
    const point = rateSince(samples.at(-1)!)
    samples.push({ at, bytesUp, bytesDown })
    if (samples.length > rateSamples) samples.shift()
    series.add({ at, ...point, connections: connections.active, paths: exits.measure(event.paths) })
    costs.push({ at, total: costOf(exits.usage(at)).total })
    // Those of before the clock was set back as well.
    while (costs[1] && Math.abs(at - costs[1].at) >= costWindowMs) costs.shift()
  }

  events.subscribe(event => {
    const at = now()
    // Of these there are thousands a second, and nothing else is kept of them.
    if (event.type === 'connection.opened' || event.type === 'connection.closed') {
      if (event.type === 'connection.opened') counts.opened++
      return connect(event, at)
    }
    exits.apply(event, at)
    connect(event, at)
    sleep.apply(event, at)
    addresses.apply(event, at)
    bans.apply(event, at)
    if (event.type === 'traffic.sampled') sample(event, at)
    if (event.type === 'connection.refused') counts.refused++
    if (event.type === 'connection.failed') counts.failed++
    if (event.type === 'connection.refused' || event.type === 'connection.failed') {
      users.miss(event.user)
      connectionErrors.set(event.code, (connectionErrors.get(event.code) ?? 0) + 1)
    }
    if (event.type === 'client.rejected') {
      const { code, message, hint } = event
      counts.rejected++
      const count = (rejections.get(code)?.count ?? 0) + 1
      rejections.set(code, { code, message, ...(hint && { hint }), count, rejectedAt: at })
    }
    if (event.type === 'budget.sampled') {
      const { type: _, ...use } = event
      budget = use
    }
    // Without a budget nothing more is told of it.
    if (event.type === 'config.reloaded' && event.applied.some(isBudgetGone)) budget = undefined
    if (event.type === 'usage.sampled') users.use(event.users)
    if (event.type === 'exit.launching') counts.launches++
    if (event.type === 'exit.failed') counts.launchesFailed++
    if (event.type === 'proxy.ready') {
      const { host, port, listeners } = event
      proxy = { host, port, listeners }
    }
  })

  const model: Model = {
    local,
    get uptimeMs() {
      return now() - startedAt
    },
    get totals() {
      return { ...counts, active: connections.active }
    },
    get rate() {
      return rate
    },
    get exits() {
      return exits.list()
    },
    get distinctAddresses() {
      return addresses.distinct
    },
    get sleep() {
      return sleep.state
    },
    connectionErrors,
    rejections,
    get users() {
      return users.list()
    },
    get carried() {
      return [...carried.values()]
    },
    cost() {
      const cost = costOf(exits.usage(now()))
      const { at, total } = costs[0]!
      const ms = now() - at
      return {
        ...cost,
        ...(budget && { budget }),
        ...(ms >= shortestCostWindowMs && { perHour: ((cost.total - total) / ms) * 3_600_000 }),
      }
    },
    state: (since = Number.NEGATIVE_INFINITY) => ({
      now: now(),
      version,
      startedAt,
      local,
      ...(proxy && { proxy }),
      totals: model.totals,
      rate,
      exits: model.exits,
      sleep: model.sleep,
      addresses: addresses.state,
      bans: bans.list(now()),
      launches: exits.launches(),
      destinations: destinations.top(maxDestinations),
      destinationCount: destinations.size,
      users: users.list(),
      rejections: [...rejections.values()].reverse(),
      connections: connections.read(since),
      series: series.read(since),
      cost: model.cost(),
    }),
  }
  return model
}

// --- internal ---

const isBudgetGone = ({ key, to }: Change): boolean => key === 'fleet.budget' && to === undefined
