import { bansChangeAt, meets } from './bans.ts'
import { graceIsOver, graceMs, isSpent } from './budget-gate.ts'
import { type FreshDemand, freshChangesAt, meetsFresh } from './freshness.ts'
import { isIdle, lookAt, mayRest } from './idle.ts'
import type { SiteDemand } from './sites.ts'
import { demandMs, type ExitState, type FleetState, minuteMs, type Region } from './state.ts'

/** What the fleet does next. */
export type Action =
  | { type: 'launch'; region: string; extra?: boolean }
  /** No new connections; those it has go on. */
  | { type: 'drain'; id: string }
  /** Nothing is left on it: say bye, so that the function stops being billed. */
  | { type: 'close'; id: string }

/** A replacement is launched this long before the function's end asks for it, or a third of its life if that is less. */
const leadMs = 20_000
/** The function's last 10 seconds are for draining alone. */
const reserveMs = 10_000
/** The function closes what is open 1.5 s before its end; what begins later than this comes to nothing. */
const lastMs = 2_500
/** The last bytes of connections that have ended may still be on their way for this long. */
const lingerMs = 1_000

/** When an exit's replacement is to be launched. */
export function replaceAt(exit: ExitState, rotateMs: number): number {
  if (exit.retired) return Number.NEGATIVE_INFINITY
  const lastUse = exit.deadline - reserveMs
  const life = Math.max(0, lastUse - exit.readyAt)
  // A rotation needs no lead: the old exit can serve until the new one is there.
  return Math.min(exit.readyAt + rotateMs, lastUse - Math.min(leadMs, life / 3))
}

/** Whether it takes new connections. */
export const isAccepting = (exit: ExitState, now: number): boolean =>
  exit.phase === 'active' &&
  !exit.isUsedUp &&
  !exit.silent &&
  now >= exit.fullUntil &&
  now < exit.deadline - reserveMs

/** It is being retired, yet takes connections where no other exit does: its replacement may be late, or throttled. */
export const isLastResort = (exit: ExitState, now: number): boolean =>
  exit.phase === 'draining' && !exit.isUsedUp && !exit.silent && now < exit.deadline - lastMs

/** Its replacement is due: it counts no longer towards the exits that there should be. */
export const isDue = ({ settings }: FleetState, exit: ExitState, now: number): boolean =>
  now >= replaceAt(exit, settings.rotateMs)

/**
 * Decides by nothing but the state, in which what no longer counts has been forgotten, and the time. Carry the actions
 * out, and ask again at `planAgainAt`, or when anything changes.
 */
export function plan(state: FleetState, now: number): Action[] {
  return [...launches(state, now), ...drains(state, now), ...closes(state, now)]
}

/** When the passing of time next changes the plan; Infinity if it does not. */
export function planAgainAt(state: FleetState, now: number): number {
  const times = [...state.exits.values()].flatMap(exit => [
    replaceAt(exit, state.settings.rotateMs),
    exit.deadline - reserveMs,
    exit.fullUntil,
    ...(exit.phase === 'draining' ? [exit.busyAt + lingerMs, exit.deadline - lastMs] : []),
  ])
  times.push(...[...state.regions.values()].map(({ retryAt }) => retryAt))
  times.push(...state.launches.map(at => at + minuteMs))
  times.push(...[...state.demands.values()].map(at => at + demandMs))
  times.push(...bansChangeAt(state.bans))
  times.push(...freshChangesAt(state.freshness))
  times.push(lookAt(state, now))
  times.push(state.spentAt + graceMs)
  return Math.min(...times.filter(time => time > now), Number.POSITIVE_INFINITY)
}

/** True when the launch budget alone keeps the fleet from launching. */
export const overBudget = (state: FleetState, now: number): boolean =>
  state.launches.length >= state.settings.launchesPerMinute &&
  launches({ ...state, launches: [] }, now).length > 0

// --- internal ---

function launches(state: FleetState, now: number): Action[] {
  if (isIdle(state, now) || isSpent(state)) return []
  const { sessions, standby, launchesPerMinute, connectionsPerExit } = state.settings
  let budget = launchesPerMinute - state.launches.length
  /** Exits that count towards the target number. */
  const counting = [...state.exits.values()].filter(
    exit => exit.phase === 'launching' || (isAccepting(exit, now) && !isDue(state, exit, now)),
  )
  /** The same by region, with those that are launched now. */
  const counted = new Map<string, number>()
  for (const { region } of counting) counted.set(region, (counted.get(region) ?? 0) + 1)
  let total = counting.filter(({ extra }) => !extra).length
  const actions: Extract<Action, { type: 'launch' }>[] = []
  const launch = (region: Region, extra = false) => {
    actions.push({ type: 'launch', region: region.name, ...(extra && { extra }) })
    counted.set(region.name, (counted.get(region.name) ?? 0) + 1)
    total++
    budget--
  }
  /** The region with the fewest exits, and among those the one that was not used for longest. */
  const next = (name?: string): Region | undefined =>
    [...state.regions.values()]
      .filter(region => region.retryAt <= now && (name === undefined || region.name === name))
      .sort(
        (a, b) => (counted.get(a.name) ?? 0) - (counted.get(b.name) ?? 0) || a.lastLaunchAt - b.lastLaunchAt,
      )[0]

  for (const name of state.demands.keys()) {
    const region = state.regions.get(name)
    if (region && budget > 0 && !counted.get(name) && region.retryAt <= now) launch(region)
  }
  while (total < sessions + standby && budget > 0) {
    const region = next()
    if (!region) break
    launch(region)
  }
  // Where exits take only so many connections, those that wait may need several. One that has just come up has not
  // taken any of them yet.
  const room = [...state.exits.values()]
    .filter(exit => isAccepting(exit, now))
    .reduce((sum, { served }) => sum + connectionsPerExit - served, 0)
  const needed = Math.ceil(Math.max(0, state.waiting - room) / connectionsPerExit)
  const coming = () => counting.filter(({ phase }) => phase === 'launching').length + actions.length
  while (coming() < needed && budget > 0) {
    const region = next()
    if (!region) break
    launch(region, true)
  }
  // What is launched for another reason may serve a site that has banned the rest.
  for (const demand of state.bans.demands.values()) {
    const served =
      counting.some(exit => meets(state.bans, exit, demand)) ||
      actions.some(({ region }) => demand.region === undefined || demand.region === region)
    const region = served || budget <= 0 ? undefined : next(demand.region)
    if (region) launch(region, true)
  }
  for (const demand of freshDemands(state)) {
    // What is launched now is fresh for every site.
    let there =
      counting.filter(exit => meetsFresh(state.freshness, exit, demand)).length +
      actions.filter(({ region }) => demand.region === undefined || demand.region === region).length
    for (; there < wantedFor(state, demand) && budget > 0; there++) {
      const region = next(demand.region)
      if (!region) break
      launch(region, true)
    }
  }
  return actions
}

function drains(state: FleetState, now: number): Action[] {
  const { sessions, standby, rotateMs } = state.settings
  const active = [...state.exits.values()].filter(({ phase }) => phase === 'active')
  const over = active.filter(
    exit => exit.isUsedUp || isSpent(state) || now >= exit.deadline - reserveMs || mayRest(state, exit, now),
  )
  const due = new Set(active.filter(exit => isDue(state, exit, now)))
  // Nobody is retired before the replacement is there: only those beyond the target number. Those that are due come
  // first, then those that a single site needed, then the oldest.
  const inUse = active
    .filter(exit => isAccepting(exit, now) && !over.includes(exit))
    .sort(
      (a, b) =>
        Number(due.has(b)) - Number(due.has(a)) ||
        Number(b.extra) - Number(a.extra) ||
        replaceAt(a, rotateMs) - replaceAt(b, rotateMs),
    )
  let left = inUse
  for (const exit of inUse) {
    const others = left.filter(other => other !== exit)
    // One that need not be replaced yet makes room only for its like.
    const alike = due.has(exit) ? others : others.filter(other => !due.has(other))
    const regionIsServed =
      !state.demands.has(exit.region) || alike.some(({ region }) => region === exit.region)
    const sitesAreServed = demandsMetBy(state, exit).every(demand =>
      alike.some(other => meets(state.bans, other, demand)),
    )
    const freshAreKept = freshDemands(state)
      .filter(demand => meetsFresh(state.freshness, exit, demand))
      .every(
        demand =>
          alike.filter(other => meetsFresh(state.freshness, other, demand)).length >=
          wantedFor(state, demand),
      )
    // What one site needs is no substitute for what all the others use.
    const enough = exit.extra || alike.filter(({ extra }) => !extra).length >= sessions + standby
    if (enough && regionIsServed && sitesAreServed && freshAreKept) left = others
  }
  return [...over, ...inUse.filter(exit => !left.includes(exit))].map(({ id }) => ({
    type: 'drain',
    id,
  }))
}

const closes = (state: FleetState, now: number): Action[] =>
  [...state.exits.values()]
    .filter(
      exit =>
        exit.phase === 'draining' &&
        (graceIsOver(state, now) ||
          (exit.connections === 0 &&
            (mayRest(state, exit, now) || (exit.busyAt + lingerMs <= now && !isNeeded(state, exit, now))))),
    )
    .map(({ id }) => ({ type: 'close', id }))

/** Whether no other exit takes the connections that it could. */
function isNeeded(state: FleetState, exit: ExitState, now: number): boolean {
  if (isSpent(state) || !isLastResort(exit, now)) return false
  const accepting = [...state.exits.values()].filter(other => isAccepting(other, now))
  return (
    accepting.length === 0 ||
    (state.demands.has(exit.region) && accepting.every(({ region }) => region !== exit.region)) ||
    demandsMetBy(state, exit).some(demand => !accepting.some(other => meets(state.bans, other, demand)))
  )
}

/** The banned sites that are asked for, and that this exit can serve. */
const demandsMetBy = ({ bans }: FleetState, exit: ExitState): SiteDemand[] =>
  [...bans.demands.values()].filter(demand => meets(bans, exit, demand))

/** The sites that exits are kept ahead for, where each connection gets a fresh one. */
const freshDemands = ({ settings, freshness }: FleetState): FreshDemand[] =>
  settings.fresh ? [...freshness.demands.values()] : []

/** So many exits a site wants that it has not seen: one for each that waits, and as many as there are to be ahead. */
const wantedFor = ({ settings }: FleetState, { waiting }: FreshDemand): number =>
  settings.sessions + settings.standby + waiting
