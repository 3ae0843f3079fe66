import { askForSite, ban, cameUp } from '../../cli/client/fleet/bans.ts'
import { isSpent, spent } from '../../cli/client/fleet/budget-gate.ts'
import { askFresh, cameUpFresh, type FreshDemand } from '../../cli/client/fleet/freshness.ts'
import { ask, awaited } from '../../cli/client/fleet/idle.ts'
import { isAccepting, plan, planAgainAt } from '../../cli/client/fleet/plan.ts'
import { createSelector } from '../../cli/client/fleet/select.ts'
import {
  arrived,
  calledOff,
  draining,
  type ExitState,
  ended,
  forget,
  launching,
  loaded,
  moved,
  newFleetState,
  ready,
  took,
} from '../../cli/client/fleet/state.ts'
import { seeded } from '../support/random.ts'
import type { Waiter } from './fresh-rules.ts'
import { Queue } from './queue.ts'
import { watch } from './rules.ts'
import { drawSchedule } from './schedule.ts'

// A fleet's state and plan in a world with a clock of its own, where what cli/client/fleet/fleet.ts does at the edge is
// done by chance: launches that take long or fail, exits that die or fall silent, regions that go down.

/** What decides; a test gives one that decides badly. */
export interface Planner {
  plan: typeof plan
  planAgainAt: typeof planAgainAt
}

export interface Tally {
  events: number
  plans: number
  launches: number
  connections: number
  bans: number
}

/** More plans than this in a virtual second, beyond two for each thing that happens, go in circles. */
const maxPlansASecond = 25
/** Functions end themselves this long before Lambda would. */
const closeAtMs = 1_500
/** Connections wait this long for an exit. */
const waitLimitMs = 30_000
/** A silent exit is given up by QUIC's idle time-out. */
const idleMs = 15_000

/** Runs the schedule of this seed. Throws an Error that names the rule that was broken, seed and time. */
export function runSchedule(seed: number, planner: Planner = { plan, planAgainAt }): Tally {
  const random = seeded(seed)
  const schedule = drawSchedule(random)
  const { settings, regions, lifeMs } = schedule
  const fraction = () => random.int(1e6) / 1e6
  const between = (low: number, high: number) => low + random.int(high - low)
  const queue = new Queue()
  const state = newFleetState(settings, regions)
  const selector = createSelector(schedule.policy, fraction)
  const down = new Set<string>()
  const closing = new Set<string>()
  /** Connections by session, and since when there are none. */
  const connections = new Map<string, { count: number; idleSince: number }>()
  /** Connections that wait for an exit: each tries again when something has changed. */
  const waiting = new Map<() => boolean, Waiter & { demand: FreshDemand | undefined }>()
  const leave = (retry: () => boolean): boolean => {
    const demand = waiting.get(retry)?.demand
    if (demand) demand.waiting--
    return waiting.delete(retry)
  }
  const rules = watch(schedule, state, {
    isIdleSince: id => connections.get(id)?.idleSince ?? Number.POSITIVE_INFINITY,
    waiters: () => [...waiting.values()],
    isInUse: () => waiting.size > 0 || [...connections.values()].some(({ count }) => count > 0),
  })
  const tally: Tally = { events: 0, plans: 0, launches: 0, connections: 0, bans: 0 }
  /** The exit that each site used last. */
  const served = new Map<string, string>()
  let now = 0
  let timer = 0
  let isPlanned = false
  let second = { at: 0, plans: 0, actions: 0 }

  const happens = (at: number, action: () => void) => queue.put(at, action)

  function replan(): void {
    tally.plans++
    if (++second.plans > maxPlansASecond + 2 * second.actions)
      throw new Error(`${second.plans} plans in a second`)
    forget(state, now)
    for (const [id, { count }] of connections) loaded(state, id, count, now)
    awaited(state, waiting.size, now)
    const actions = planner.plan(state, now)
    rules.beforePlan(actions, now)
    second.actions += actions.length
    for (const action of actions) {
      if (action.type === 'launch') launch(action.region, action.extra)
      else if (action.type === 'close') close(action.id)
      else {
        draining(state, action.id, now)
        happens(now, replan)
      }
    }
    rules.afterPlan(now)
    for (const retry of [...waiting.keys()]) if (waiting.has(retry) && retry()) leave(retry)
    const again = Math.max(planner.planAgainAt(state, now), now + 1)
    const anyDraining = [...state.exits.values()].some(({ phase }) => phase === 'draining')
    const armed = ++timer
    const at = Math.min(again, anyDraining ? now + 1_000 : again)
    if (at < Number.POSITIVE_INFINITY) happens(at, () => armed === timer && replan())
  }

  function replanSoon(): void {
    rules.changed(now)
    second.actions++
    if (isPlanned) return
    isPlanned = true
    happens(now, () => {
      isPlanned = false
      replan()
    })
  }

  /** From the moment on at which it says bye it takes nothing. */
  function close(id: string): void {
    closing.add(id)
    happens(now, () => end(id))
  }

  function launch(region: string, extra?: boolean): void {
    const id = `s${++tally.launches}`
    launching(state, id, region, now, extra)
    rules.launched(region, now)
    const takes = random.chance(0.05) ? between(4_000, 6_500) : between(50, 3_000)
    const fails = random.chance(schedule.failing)
    happens(now + takes, () => (fails || down.has(region) ? end(id) : begin(id, now + lifeMs - takes)))
  }

  function begin(id: string, deadline: number): void {
    const exit = state.exits.get(id)
    if (!exit) return
    ready(state, id, deadline, now, `${exit.region} ${random.int(schedule.addresses)}`)
    rules.bans.cameUp(exit, cameUp(state.bans, exit))
    cameUpFresh(state.freshness, exit)
    rules.fresh.arrived(exit)
    arrived(state, exit, exit.address!)
    connections.set(id, { count: 0, idleSince: now })
    happens(deadline - closeAtMs, () => end(id))
    const life = deadline - now
    if (random.chance(schedule.dying)) happens(now + random.int(life), () => end(id))
    if (random.chance(schedule.silencing)) happens(now + random.int(life), () => fallSilent(id))
    replan()
  }

  function fallSilent(id: string): void {
    const exit = state.exits.get(id)
    if (!exit || exit.phase === 'launching') return
    exit.silent = true
    second.actions++
    if (random.chance(0.5)) happens(now + idleMs, () => end(id))
    else
      happens(now + random.int(idleMs), () => {
        exit.silent = false
        replan()
      })
    replan()
  }

  function end(id: string): void {
    if (!state.exits.has(id)) return
    connections.delete(id)
    ended(state, id, now, fraction)
    replan()
  }

  function spend(isSpent: boolean): void {
    awaited(state, waiting.size, now)
    spent(state, isSpent, now)
    rules.spent(isSpent, now)
    if (isSpent) for (const retry of [...waiting.keys()]) leave(retry)
    replan()
  }

  function connect(): void {
    happens(now + 2 * random.int(schedule.connectEveryMs), connect)
    // It is told so, and waits for nothing.
    if (isSpent(state)) return
    const region = random.chance(schedule.choosy) ? regions[random.int(regions.length)] : undefined
    rules.asked(region, now)
    const askedAt = now
    const site = `site${random.int(50)}.com`
    rules.askedFor(site, region, now)
    const isNew = ask(state, region, now)
    if (askForSite(state.bans, { site, region }, now) || isNew) replan()
    const demand = settings.fresh ? askFresh(state.freshness, { site, region }, now) : undefined
    const take = () => takes(site, region)
    if (!take()) {
      const retry = () => {
        if (!take()) return false
        rules.waited(now - askedAt)
        return true
      }
      waiting.set(retry, { site, region, demand })
      if (demand) {
        demand.waiting++
        replanSoon()
      }
      happens(now + waitLimitMs, () => {
        if (leave(retry)) rules.waited(Number.POSITIVE_INFINITY)
      })
    }
  }

  /** A connection gets an exit, if there is one for it. */
  function takes(site: string, region: string | undefined): boolean {
    const request = { host: `www.${site}`, ...(region && { user: `region-${region}` }) }
    const there = [...state.exits.values()].filter(
      exit =>
        (!region || exit.region === region) &&
        !rules.bans.isBanned(exit, site) &&
        !rules.fresh.isUnfit(exit) &&
        !closing.has(exit.id),
    )
    const accepting = there.filter(exit => isAccepting(exit, now))
    // What drains takes connections where nothing else does, but for its last 2.5 s.
    const lastResorts = there.filter(
      ({ phase, silent, deadline }) => phase === 'draining' && !silent && now < deadline - 2_500,
    )
    const fitting = accepting.length > 0 ? accepting : lastResorts
    const selected = selector.select(state, request, now)
    // One that ends in this very moment cannot be told from the others yet: the connection is tried again.
    if (selected && closing.has(selected.id)) return false
    const { may, must } = rules.fresh
    const fits = (exit: ExitState) => fitting.includes(exit) && may(exit, site)
    const due = fitting.filter(exit => must(exit, site))
    if (selected ? !fits(selected) : due.length > 0)
      throw new Error(
        `a connection got ${selected ? 'an exit that takes none, or is not fresh' : 'no exit'} where ${due.length} fit`,
      )
    if (!selected) return false
    tally.connections++
    served.set(site, selected.id)
    rules.took(selected, site)
    const load = connections.get(selected.id)!
    load.count++
    load.idleSince = Number.POSITIVE_INFINITY
    if (took(state, selected, site)) replanSoon()
    happens(now + between(100, random.chance(0.05) ? 200_000 : 5_000), () => {
      if (--load.count === 0) load.idleSince = now
    })
    return true
  }

  function goDown(): void {
    const region = regions[random.int(regions.length)]!
    down.add(region)
    for (const exit of state.exits.values()) if (exit.region === region) fallSilent(exit.id)
    happens(now + between(5_000, 120_000), () => down.delete(region))
    happens(now + 2 * random.int(schedule.outageEveryMs), goDown)
  }

  function click(): void {
    for (const exit of state.exits.values()) if (exit.phase === 'active') exit.retired = true
    replan()
    happens(now + 2 * random.int(schedule.clickEveryMs), click)
  }

  /** The machine is on another network: launches are called off, exits are silent, and every region is worth a try. */
  function move(): void {
    moved(state)
    rules.moved(now)
    for (const exit of [...state.exits.values()])
      if (exit.phase === 'launching') calledOff(state, exit.id)
      else fallSilent(exit.id)
    replan()
    happens(now + 2 * random.int(schedule.moveEveryMs), move)
  }

  function banOne(): void {
    const known = [...served].filter(([, id]) => state.exits.has(id))
    const [site, id] = known[random.int(Math.max(known.length, 1))] ?? []
    const exit = state.exits.get(id ?? '')
    if (site && exit?.address) {
      tally.bans++
      ban(state.bans, site, exit.address, now)
      rules.bans.banned(site, exit.address)
      askForSite(state.bans, { site, region: undefined }, now)
      rules.askedFor(site, undefined, now)
      replan()
    }
    happens(now + 2 * random.int(schedule.banEveryMs), banOne)
  }

  try {
    // Before the first plan, where there is no money at the start.
    if (schedule.spentAtMs === 0) spend(true)
    else replan()
    happens(random.int(schedule.connectEveryMs), connect)
    if (schedule.spentAtMs > 0) happens(schedule.spentAtMs, () => spend(true))
    if (schedule.spentForMs < Number.POSITIVE_INFINITY)
      happens(schedule.spentAtMs + schedule.spentForMs, () => spend(false))
    if (schedule.outageEveryMs < Number.POSITIVE_INFINITY) happens(random.int(schedule.outageEveryMs), goDown)
    if (schedule.clickEveryMs < Number.POSITIVE_INFINITY) happens(random.int(schedule.clickEveryMs), click)
    if (schedule.moveEveryMs < Number.POSITIVE_INFINITY) happens(random.int(schedule.moveEveryMs), move)
    if (schedule.banEveryMs < Number.POSITIVE_INFINITY) happens(random.int(schedule.banEveryMs), banOne)
    for (let next = queue.next(); next && next.at < schedule.untilMs; next = queue.next()) {
      now = next.at
      tally.events++
      if (now >= second.at + 1_000) second = { at: now, plans: 0, actions: 0 }
      rules.beforeEvent(now)
      next.action()
    }
  } catch (error) {
    throw new Error(
      `schedule ${seed} at ${(now / 1_000).toFixed(3)} s: ${(error as Error).message}\n${JSON.stringify(schedule)}`,
    )
  }
  return tally
}
