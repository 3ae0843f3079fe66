import type { Action } from '../../cli/client/fleet/plan.ts'
import type { ExitState, FleetState, Phase } from '../../cli/client/fleet/state.ts'
import { type BanRules, demandMs, watchBans } from './ban-rules.ts'
import { type FreshRules, maxRepeats, type Use, watchFresh } from './fresh-rules.ts'
import { isCalm, type Schedule } from './schedule.ts'

// What must hold whatever happens, in terms of its own: nothing of the plan's reasoning is used here.

const reserveMs = 10_000
/** With less than this left an exit takes nothing at all. */
const lastMs = 2_500
const minuteMs = 60_000
/** A draining exit is looked at once a second, and closed when it had no connections for one. */
const closeWithinMs = 2_100
const lingerMs = 1_000
/** What is open when the budget is used up may go on for this long. */
const graceMs = 60_000
/** What time alone brings about is done this soon. */
const lateMs = 5
/** Back-off's longest wait, with the most of its jitter. */
const maxWaitMs = 90_000
/** Without failures every launch is done within this. */
const calmLaunchMs = 7_000
/** The end of the last connection is noticed within this share of the idle time, or ten seconds. */
const noticedWithin = (idleMs: number) => Math.min(idleMs / 10, 10_000) + 50
const nextPhases: Record<Phase, Phase[]> = { launching: ['active'], active: ['draining'], draining: [] }

export interface Rules {
  /** Before something happens: what was due by time alone has been done. */
  beforeEvent(now: number): void
  /** The plan is about to be carried out. */
  beforePlan(actions: Action[], now: number): void
  /** It has been carried out. */
  afterPlan(now: number): void
  launched(region: string, now: number): void
  /** A connection asked for the site, in a region or anywhere. */
  askedFor(site: string, region: string | undefined, now: number): void
  /** A connection asks for an exit. */
  asked(region: string | undefined, now: number): void
  /** The budget is used up, or is not any more. */
  spent(isSpent: boolean, now: number): void
  /** A connection for the site got this exit. */
  took(exit: ExitState, site: string): void
  readonly bans: BanRules
  readonly fresh: FreshRules
  /** The plan is made anew at once, though not before everything else of this moment. */
  changed(now: number): void
  /** Every region is worth a try again. */
  moved(now: number): void
  /** It got one after this long, or after Infinity gave up. */
  waited(ms: number): void
}

/** Watches a fleet's state; throws an Error that says what does not hold. */
export function watch(schedule: Schedule, state: FleetState, { isIdleSince, isInUse, waiters }: Use): Rules {
  const { sessions, standby, launchesPerMinute, rotateMs, idleMs, distinct, connectionsPerExit } =
    schedule.settings
  const target = sessions + standby
  const phases = new Map<string, Phase>()
  const drainingSince = new Map<string, number>()
  const launches: number[] = []
  let plannedAt = 0
  let wasFull = false
  let lastUse = 0
  let awakeSince = 0
  let lastMove = 0
  let changedAt = Number.NEGATIVE_INFINITY
  let everUp = false
  /** Since when the budget is used up. */
  let spentSince = Number.POSITIVE_INFINITY
  const isSpent = () => spentSince < Number.POSITIVE_INFINITY

  /** Regions that were asked for, and when: launches for them may be under way though it is over. */
  const regionsAsked = new Map<string, number>()
  const regionsLately = (now: number) => [...regionsAsked.values()].filter(at => at + demandMs > now).length

  const bans = watchBans()
  const fresh = watchFresh(schedule)

  const exits = () => [...state.exits.values()]
  /** Banned sites that were asked for lately, since the last sleep. */
  const sitesWanted = (now: number) => bans.demanded(now).filter(({ at }) => at >= awakeSince)
  const takesNew = (exit: ExitState, now: number) =>
    exit.phase === 'active' && !fresh.isUnfit(exit) && !exit.silent && now < exit.deadline - reserveMs
  const isDue = (exit: ExitState, now: number) => exit.retired || now >= exit.readyAt + rotateMs
  const covers = (exit: ExitState, now: number) =>
    exit.phase === 'launching' || (takesNew(exit, now) && !isDue(exit, now))
  /** When a draining exit was last the only one that could take connections, anywhere or in a region they ask for. */
  const neededAt = new Map<string, number>()
  const lastNeeded = (exit: ExitState, now: number) => {
    const taking = exits().filter(other => takesNew(other, now))
    const alone =
      taking.length === 0 ||
      (state.demands.has(exit.region) && !taking.some(({ region }) => region === exit.region)) ||
      bans
        .demanded(now)
        .some(demand => bans.meets(exit, demand) && !taking.some(other => bans.meets(other, demand)))
    if (alone && !isSpent() && now < exit.deadline - lastMs) neededAt.set(exit.id, now)
    return neededAt.get(exit.id) ?? 0
  }
  const demanded = (now: number) =>
    [...state.demands].filter(([name, at]) => state.regions.has(name) && at + demandMs > now)
  /** Nobody has used the proxy for the idle time. */
  const isIdle = (now: number) => !isInUse() && now >= lastUse + idleMs
  /** From when on an exit may be let go, when nobody uses the proxy: who comes next must get another one. */
  const mayRestFrom = ({ region }: ExitState) => {
    const over = launches.length - launchesPerMinute
    return Math.max(
      lastUse + idleMs,
      lastMove,
      over >= 0 ? launches[over]! + minuteMs : 0,
      state.regions.get(region)!.retryAt,
    )
  }
  const hold = (condition: boolean, rule: string) => {
    if (!condition) throw new Error(rule)
  }

  function launchesAreUnderWay(now: number): void {
    if (launches.filter(at => at + minuteMs > now).length >= launchesPerMinute) return
    const open = [...state.regions.values()].filter(({ retryAt }) => retryAt <= now).map(({ name }) => name)
    const covering = exits().filter(exit => covers(exit, now))
    hold(
      covering.length >= target || open.length === 0,
      `${target - covering.length} exits are missing or due, a region is free and the budget allows, yet nothing is launched`,
    )
    for (const [region] of demanded(now))
      hold(
        !open.includes(region) || covering.some(exit => exit.region === region),
        `connections ask for ${region}, it is free and the budget allows, yet nothing is launched there`,
      )
    hold(
      open.length < state.regions.size || fresh.hasForAll(covering, waiters()),
      'connections wait for exits that their sites have not seen, yet none is launched',
    )
    for (const demand of sitesWanted(now))
      hold(
        !open.some(region => demand.region === undefined || demand.region === region) ||
          covering.some(exit => bans.meets(exit, demand)),
        `${demand.site} has banned all exits, a region is free and the budget allows, yet nothing is launched for it`,
      )
  }

  function nothingIsLaunchedTwice(actions: Action[], now: number): void {
    const launched = actions.filter(action => action.type === 'launch')
    const isForSites = schedule.settings.fresh || bans.most(now) > 0
    if (isForSites || !launched.some(({ extra }) => extra)) return
    const room = exits()
      .filter(exit => takesNew(exit, now))
      .reduce((sum, exit) => sum + fresh.room(exit), 0)
    const onTheWay = exits().filter(({ phase }) => phase === 'launching').length + launched.length
    hold(
      room + (onTheWay - 1) * connectionsPerExit < waiters().length,
      'an exit is launched for connections that have room on others',
    )
  }

  function nothingRunsUnused(now: number): void {
    if (isInUse()) return
    for (const exit of exits())
      hold(
        exit.phase === 'launching' ||
          now < Math.max(mayRestFrom(exit) + noticedWithin(idleMs), exit.readyAt) + closeWithinMs,
        'nobody uses the proxy, yet an exit is kept, and billed',
      )
  }

  function nothingCostsMore(now: number): void {
    for (const exit of exits()) {
      hold(
        exit.phase !== 'active' || now <= Math.max(spentSince, exit.readyAt) + lateMs,
        'the budget is used up, yet an exit takes connections',
      )
      hold(
        exit.phase === 'launching' || now < Math.max(spentSince + graceMs, exit.readyAt) + closeWithinMs,
        'the budget is used up, yet an exit is kept, and billed',
      )
    }
  }

  function nothingLingers(now: number): void {
    for (const exit of exits()) {
      hold(
        exit.phase !== 'active' || now < exit.deadline - reserveMs,
        'an exit in its last 10 s still takes connections',
      )
      hold(
        exit.phase !== 'active' || !fresh.isUnfit(exit),
        'an exit that may take nothing is kept, and billed',
      )
      hold(
        exit.phase !== 'draining' ||
          now - Math.max(isIdleSince(exit.id), drainingSince.get(exit.id)!, lastNeeded(exit, now)) <
            closeWithinMs,
        'a draining exit without connections is kept, and billed',
      )
    }
    const inUse = exits().filter(exit => takesNew(exit, now)).length
    const most = target + demanded(now).length + bans.demanded(now).length + fresh.most(now)
    hold(inUse <= most, `${inUse} exits are kept where ${target} should be`)
    for (const { retryAt } of state.regions.values())
      hold(retryAt - now <= maxWaitMs, 'a region is set aside for longer than a minute and a half')
  }

  function phasesGoForward(now: number): void {
    for (const { id, phase } of exits()) {
      const before = phases.get(id)
      hold(
        before === undefined ? phase === 'launching' : before === phase || nextPhases[before].includes(phase),
        `an exit went from ${before ?? 'nothing'} to ${phase}`,
      )
      phases.set(id, phase)
      if (phase === 'draining' && before !== phase) drainingSince.set(id, now)
      if (phase === 'active' && !everUp) lastUse = now
      everUp ||= phase === 'active'
    }
  }

  return {
    beforeEvent(now) {
      const due = Math.max(plannedAt, now - lateMs)
      if (isInUse()) lastUse = now
      if (isIdle(now) || isSpent()) wasFull = false
      if (changedAt >= now - lateMs) return
      if (!isIdle(now) && !isSpent()) launchesAreUnderWay(due)
      nothingCostsMore(due)
      nothingLingers(due)
      nothingRunsUnused(due)
      if (!isCalm(schedule) || isIdle(now) || isSpent()) return
      const inUse = exits().filter(exit => takesNew(exit, now)).length
      wasFull ||= inUse >= sessions
      // Another exit's address may be in the way of a replacement several times.
      hold(
        distinct || connectionsPerExit < Number.POSITIVE_INFINITY || !wasFull || inUse >= sessions,
        `nothing fails, yet only ${inUse} of ${sessions} exits take connections`,
      )
    },
    beforePlan(actions, now) {
      phasesGoForward(now)
      nothingIsLaunchedTwice(actions, now)
      const retired = new Set<string>()
      for (const action of actions) {
        if (action.type === 'launch') continue
        const exit = state.exits.get(action.id)
        if (action.type === 'close') {
          hold(exit?.phase === 'draining', `an exit that is ${exit?.phase ?? 'gone'} is closed`)
          hold(
            exit?.connections === 0 || now >= spentSince + graceMs,
            'an exit is closed under its connections',
          )
          hold(
            drainingSince.get(action.id)! + lingerMs <= now || isIdle(now),
            'an exit is closed as soon as it is retired',
          )
        } else {
          hold(exit?.phase === 'active', `an exit that is ${exit?.phase ?? 'gone'} is retired`)
          const rests = exit && isIdle(now) && mayRestFrom(exit) <= now
          if (exit && takesNew(exit, now) && !rests && !isSpent()) retired.add(exit.id)
        }
      }
      if (retired.size === 0) return
      const left = exits().filter(exit => takesNew(exit, now) && !retired.has(exit.id))
      // Those that were launched for a single site are no substitute for the others.
      const forAll = left.filter(({ extra }) => !extra).length
      hold(
        forAll >= target || [...retired].every(id => state.exits.get(id)?.extra),
        `exits are retired that leave ${forAll} of ${target}`,
      )
      for (const [region] of demanded(now))
        hold(
          ![...retired].some(id => state.exits.get(id)?.region === region) ||
            left.some(exit => exit.region === region),
          `the last exit of ${region} is retired while connections ask for it`,
        )
      for (const demand of sitesWanted(now))
        hold(
          ![...retired].some(id => bans.meets(state.exits.get(id)!, demand)) ||
            left.some(exit => bans.meets(exit, demand)),
          `the last exit that ${demand.site} has not banned is retired while connections ask for it`,
        )
    },
    afterPlan(now) {
      plannedAt = now
      changedAt = Number.NEGATIVE_INFINITY
      phasesGoForward(now)
    },
    spent(isSpent, now) {
      spentSince = isSpent ? Math.min(spentSince, now) : Number.POSITIVE_INFINITY
    },
    launched(region, now) {
      hold(!isSpent(), 'the budget is used up, yet an exit is launched')
      hold(state.regions.get(region)!.retryAt <= now, `${region} is set aside, yet an exit is launched there`)
      hold(now <= lastUse + idleMs + noticedWithin(idleMs), 'nobody uses the proxy, yet an exit is launched')
      launches.push(now)
      while (launches[0]! + minuteMs <= now) launches.shift()
      hold(launches.length <= launchesPerMinute, `${launches.length} launches in a minute`)
      const onTheWay = exits().filter(({ phase }) => phase === 'launching').length
      const most = target + regionsLately(now) + bans.most(now) + fresh.most(now)
      hold(onTheWay <= most, `${onTheWay} launches are under way at once`)
    },
    askedFor(site, region, now) {
      fresh.asked(site, now)
      bans.asked(site, region, now)
    },
    asked(region, now) {
      if (region !== undefined) regionsAsked.set(region, now)
      if (isIdle(now)) awakeSince = now
      lastUse = now
    },
    bans,
    fresh,
    took(exit, site) {
      hold(!fresh.isUnfit(exit), 'a connection got an exit that may take no more')
      fresh.took(exit, site)
    },
    changed(now) {
      changedAt = now
    },
    moved(now) {
      lastMove = now
    },
    waited(ms) {
      // A site's bans may be in the way of several launches, one after another.
      const { settings, banEveryMs, addresses } = schedule
      const isSimple =
        isCalm(schedule) &&
        banEveryMs === Number.POSITIVE_INFINITY &&
        // Where all addresses have been seen, the launches of several sites use the launch budget up.
        (!settings.fresh || addresses > 100)
      // Another connection may use the exit up, and its address may have been seen.
      const tries = connectionsPerExit < Number.POSITIVE_INFINITY ? 2 : 1
      const most = calmLaunchMs * tries * (distinct ? maxRepeats + 1 : 1)
      hold(!isSimple || ms <= most, `nothing fails, yet a connection waited for ${ms} ms`)
    },
  }
}
