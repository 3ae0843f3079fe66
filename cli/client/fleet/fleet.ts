import { setTimeout as sleep } from 'node:timers/promises'
import { closeCodes } from '../../../tunnel/quic/close-codes.ts'
import type { Events, Path } from '../stats/events.ts'
import { askForSite, mayServe } from './bans.ts'
import { type BudgetGate, spent } from './budget-gate.ts'
import { exitLife } from './exit-life.ts'
import { type Exits, NoExitError } from './exits.ts'
import { createFailures } from './failures.ts'
import { askFresh } from './freshness.ts'
import { ask, awaited, isIdle, sleepTeller } from './idle.ts'
import type { Session } from './launch.ts'
import { watchNetwork } from './network-watch.ts'
import { overBudget, plan, planAgainAt, replaceAt } from './plan.ts'
import { regionFor } from './regions.ts'
import { type FleetRequests, fleetRequests } from './requests.ts'
import { createSelector, type Policy } from './select.ts'
import type { SessionSource } from './session-source.ts'
import { siteOf } from './sites.ts'
import { type FleetSettings, forget, full, loaded, moved, newFleetState, took } from './state.ts'
import { createWaitList } from './wait-list.ts'

export interface FleetOptions {
  settings: FleetSettings
  policy: Policy
  source: SessionSource
  /** Where the exits are to look names up; their own resolvers otherwise. */
  dns?: string | undefined
  events: Events
  /** Stops launches while the budget of dollars is used up; without it there is no such limit. */
  budgetGate?: BudgetGate | undefined
}

/** The exits of this process: launched, rotated, replaced and closed as the plan says. */
export interface Fleet extends Omit<Exits, 'ban'>, FleetRequests {
  /** Follows these from now on: exits are launched, or drain, accordingly. */
  update(settings: FleetSettings, policy: Policy): void
  /** How the paths to the exits are at the moment. */
  paths(): Path[]
  /** Resolves when no exit ever came up and none can without somebody's doing. */
  readonly hopeless: Promise<void>
  /** Says bye on every session, deletes the offers and answers, and ends all waits. */
  close(): Promise<void>
}

/** Longest wait of the planner's timer, milliseconds; a timer's own limit is 24 days. */
const maxTimerMs = 3_600_000
/** A clean end waits this long for offers and answers to be deleted; S3 may be what is gone. Milliseconds. */
const closeLimitMs = 2_000

/** Starts the fleet. The plan is made anew whenever something happened, and carried out here. */
export function startFleet(options: FleetOptions): Fleet {
  const { policy, source, dns, events, budgetGate } = options
  const now = () => performance.now()
  const state = newFleetState({ ...options.settings }, [...source.buckets.keys()], now())
  const sessions = new Map<string, Session>()
  let selector = createSelector(policy)
  const stop = new AbortController()
  const running = new Set<Promise<void>>()
  const waits = createWaitList()
  const failures = createFailures([...source.buckets.keys()])
  let timer: ReturnType<typeof setTimeout> | undefined
  let toldBudget = false
  const sleeper = sleepTeller(events)

  /** Nothing tells when a connection ends: they are counted whenever it matters. */
  const countConnections = (at: number) => {
    for (const [id, { connection }] of sessions) loaded(state, id, connection.streams - 1, at)
  }

  const noMoney = () => {
    const refusal = budgetGate?.refusal
    return refusal && new NoExitError('E_BUDGET_SPENT', refusal.message, refusal)
  }

  const reschedule = () => {
    const { settings, exits } = state
    for (const exit of exits.values()) {
      if (exit.phase !== 'active' || exit.retired) continue
      const replaceMs = Math.max(0, replaceAt(exit, settings.rotateMs) - now())
      events.emit({ type: 'exit.rescheduled', session: exit.id, replaceMs })
    }
  }

  const replan = () => {
    if (stop.signal.aborted) return
    clearTimeout(timer)
    // The clock is read once: what came due between two readings would be missed by both.
    const at = now()
    forget(state, at)
    countConnections(at)
    awaited(state, waits.size, at)
    const refusal = noMoney()
    if (refusal) waits.refuse(refusal)
    spent(state, refusal !== undefined, at)
    sleeper.before(state, at)
    for (const action of plan(state, at)) {
      if (action.type === 'launch') track(exits.run(action.region, action.extra))
      else if (action.type === 'drain') exits.drain(action.id)
      else sessions.get(action.id)?.bye('drained', closeCodes.drained)
    }
    const budget = overBudget(state, at)
    if (budget && !toldBudget)
      events.emit({ type: 'fleet.throttled', launchesPerMinute: state.settings.launchesPerMinute })
    toldBudget = budget
    sleeper.after(state, at)
    network.watch(!isIdle(state, at) || state.exits.size > 0)
    const again = planAgainAt(state, at)
    // While an exit drains, whether its connections have ended is checked once a second.
    const anyDraining = [...state.exits.values()].some(({ phase }) => phase === 'draining')
    timer = setTimeout(replan, Math.min(Math.max(again - at, 1), anyDraining ? 1_000 : maxTimerMs))
    waits.retry()
  }

  let soon: ReturnType<typeof setTimeout> | undefined
  /** Runs after the plan, or the wait, that asked for it; once for all that asked. */
  const replanSoon = () => {
    soon ??= setTimeout(() => {
      soon = undefined
      replan()
    })
  }

  const network = watchNetwork(upset => {
    events.emit({ type: 'network.changed', ...upset })
    moved(state)
    exits.doubt()
    replan()
  })

  const track = (work: Promise<void>) => {
    running.add(work)
    void work.finally(() => running.delete(work))
  }

  const exits = exitLife({
    ...{ state, sessions, failures, source, dns, events },
    signal: stop.signal,
    onChange: replan,
  })
  const unsubscribe = budgetGate?.subscribe(replan)
  replan()
  const { note, ...requests } = fleetRequests({ state, events, replan })
  return {
    ...requests,
    hopeless: failures.hopeless,
    update(settings, next) {
      const { rotateMs } = state.settings
      Object.assign(state.settings, settings)
      if (settings.rotateMs !== rotateMs) reschedule()
      if (next !== selector.policy) selector = createSelector(next)
      replan()
    },
    paths: () =>
      [...sessions].map(([session, { connection }]) => {
        const { rttMs, sent, lost } = connection.stats()
        return { session, rttMs, sent, lost }
      }),
    async select(request, limitMs) {
      const refusal = noMoney()
      if (refusal) throw refusal
      const at = now()
      const site = siteOf(request.host)
      const region = regionFor(state, request, at)
      const isNew = ask(state, region, at)
      if (askForSite(state.bans, { site, region }, at) || isNew) replan()
      countConnections(now())
      const demand = state.settings.fresh ? askFresh(state.freshness, { site, region }, at) : undefined
      const take = () => {
        const exit = selector.select(state, request, now())
        if (!exit) return undefined
        if (took(state, exit, site)) replanSoon()
        note(site, region, exit)
        return sessions.get(exit.id)
      }
      if (!demand) return waits.wait(take, limitMs, request.signal)
      demand.waiting++
      replanSoon()
      return waits.wait(take, limitMs, request.signal).finally(() => demand.waiting--)
    },
    full(session) {
      full(state, session, now())
      replan()
    },
    mayReuse(session, host) {
      const exit = state.exits.get(session)
      return exit?.phase === 'active' && mayServe(state.bans, exit, siteOf(host))
    },
    async close() {
      stop.abort()
      unsubscribe?.()
      clearTimeout(timer)
      clearTimeout(soon)
      network.watch(false)
      waits.close()
      for (const session of sessions.values()) session.bye('the client ends')
      await Promise.race([Promise.all(running), sleep(closeLimitMs, undefined, { ref: false })])
    },
  }
}
