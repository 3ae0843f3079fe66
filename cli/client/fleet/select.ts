import { BoundedMap } from '../../../tunnel/net/bounded-map.ts'
import { mayServe } from './bans.ts'
import type { ExitRequest } from './exits.ts'
import { isFresh } from './freshness.ts'
import { isAccepting, isDue, isLastResort } from './plan.ts'
import { siteOf } from './sites.ts'
import type { ExitState, FleetState } from './state.ts'

/** How connections are spread over the exits. */
export const policies = ['sticky', 'round-robin', 'least-loaded', 'random', 'fresh'] as const
export type Policy = (typeof policies)[number]

/** The parameters in a login name: `name-region-eu-west-1-session-abc`, each optional. */
export interface LoginParams {
  region: string | undefined
  /** Connections with the same one keep the same exit. */
  stickyKey: string | undefined
}

/**
 * Reads the parameters of a user name, as paid proxies write them. A region that is written wrongly is given as it
 * stands, so that it is refused: whoever asks for one wants no other.
 */
export function parseLoginParams(user: string | undefined): LoginParams {
  const asked = /(?:^|-)region-(.*?)(?=-session-|$)/s.exec(user ?? '')?.[1]
  return {
    region: asked === undefined ? undefined : (/^[a-z]+(?:-[a-z]+)*-\d+(?=-|$)/.exec(asked)?.[0] ?? asked),
    stickyKey: /(?:^|-)session-([A-Za-z0-9_]+)(?=-|$)/.exec(user ?? '')?.[1],
  }
}

/** Sites and sticky keys that are remembered. */
const maxKept = 10_000

/** Selects among the exits; keeps only what the policy must remember. */
export interface Selector {
  readonly policy: Policy
  /** The exit for a connection, or undefined while none can be used. */
  select(state: FleetState, request: ExitRequest, now: number): ExitState | undefined
}

export function createSelector(policy: Policy, random: () => number = Math.random): Selector {
  /** Site or sticky key → the exit that it keeps. */
  const kept = new BoundedMap<string, string>(maxKept)
  let turn = 0

  const sticky = (pool: ExitState[], key: string): ExitState | undefined => {
    const known = kept.touch(key)
    const exit = pool.find(({ id }) => id === known) ?? leastLoaded(pool)
    if (exit && exit.id !== known) kept.set(key, exit.id)
    return exit
  }

  return {
    policy,
    select(state, { host, user, regions }, now) {
      const { region, stickyKey } = parseLoginParams(user)
      const site = siteOf(host)
      const within = region === undefined ? regions : [region]
      const where = within?.join() ?? ''
      // Every exit may be a fresh one for this site.
      const most = policy === 'fresh' ? Number.POSITIVE_INFINITY : state.settings.sessions
      const pool = candidates(state, within, site, now, most)
      // With a ban, the site alone leaves the exit that a sticky key keeps.
      if (stickyKey)
        return sticky(pool, `session ${stickyKey} ${where}${state.bans.sites.has(site) ? ` ${site}` : ''}`)
      switch (policy) {
        case 'sticky':
          return sticky(pool, `${site} ${where}`)
        case 'round-robin':
          return pool[turn++ % (pool.length || 1)]
        case 'least-loaded':
          return leastLoaded(pool)
        case 'fresh':
          return oldestFresh(state, pool, site)
        case 'random':
          return pool[Math.floor(random() * pool.length)]
      }
    },
  }
}

// --- internal ---

/**
 * Of those that may serve the site, as many as are to be in use, those that will last first: the rest are standbys or
 * about to be retired.
 */
function candidates(
  state: FleetState,
  regions: readonly string[] | undefined,
  site: string,
  now: number,
  most: number,
): ExitState[] {
  const there: ExitState[] = []
  for (const exit of state.exits.values())
    if ((regions === undefined || regions.includes(exit.region)) && mayServe(state.bans, exit, site))
      there.push(exit)
  // One has no order: connections ask often, and most proxies have one.
  const [only] = there
  if (only && there.length === 1) return isAccepting(only, now) || isLastResort(only, now) ? there : []
  return inOrder(state, there, now, most)
}

/** Those of them that take connections, the last to be retired first, as many as are to be in use. */
function inOrder(state: FleetState, there: readonly ExitState[], now: number, most: number): ExitState[] {
  const all = there.filter(exit => isAccepting(exit, now))
  if (all.length === 0) return there.filter(exit => isLastResort(exit, now))
  const lasting = all
    .filter(exit => !isDue(state, exit, now))
    .sort((a, b) => Number(a.extra) - Number(b.extra) || a.readyAt - b.readyAt)
  const due = all.filter(exit => isDue(state, exit, now)).sort((a, b) => b.readyAt - a.readyAt)
  return [...lasting, ...due].slice(0, most)
}

/** The oldest that the site has not seen: others are kept for later. */
const oldestFresh = (state: FleetState, pool: readonly ExitState[], site: string): ExitState | undefined =>
  pool.find(exit => isFresh(state.freshness, exit, site))

const leastLoaded = (pool: ExitState[]): ExitState | undefined =>
  pool.reduce<ExitState | undefined>(
    (best, exit) => (best && best.connections <= exit.connections ? best : exit),
    undefined,
  )
