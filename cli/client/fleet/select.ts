import { parse } from 'tldts'
import type { ExitRequest } from './exits.ts'
import { fresh, usable } from './plan.ts'
import type { FleetState, Member } from './state.ts'

/** How connections are spread over the exits. */
export const policies = ['sticky', 'round-robin', 'least-loaded', 'random'] as const
export type Policy = (typeof policies)[number]

/** What a login name asks for: `name-region-eu-west-1-session-abc`, each part optional. */
export interface LoginParams {
  region: string | undefined
  session: string | undefined
}

/** Reads the parameters of a user name, as paid proxies write them. */
export function parseLoginParams(user: string | undefined): LoginParams {
  return {
    region: /(?:^|-)region-([a-z]+(?:-[a-z]+)*-\d+)(?=-|$)/.exec(user ?? '')?.[1],
    session: /(?:^|-)session-([A-Za-z0-9_]+)(?=-|$)/.exec(user ?? '')?.[1],
  }
}

/** Sites remembered for `sticky`; the one not used for longest makes room. */
const maxSites = 10_000

/** Chooses among the exits; keeps only what the policy must remember. */
export interface Selector {
  /** The member for a connection, or undefined while none can be used. */
  choose(state: FleetState, wanted: ExitRequest, now: number): Member | undefined
}

export function createSelector(policy: Policy, random: () => number = Math.random): Selector {
  const sites = new Map<string, string>()
  let turn = 0

  const bySite = (pool: Member[], key: string): Member | undefined => {
    const known = sites.get(key)
    sites.delete(key)
    const member = pool.find(({ id }) => id === known) ?? leastLoaded(pool)
    if (member) sites.set(key, member.id)
    const [oldest] = sites.keys()
    if (sites.size > maxSites && oldest !== undefined) sites.delete(oldest)
    return member
  }

  return {
    choose(state, { host, user }, now) {
      const wish = parseLoginParams(user)
      const pool = candidates(state, wish.region, now)
      if (wish.session) return bySite(pool, `session ${wish.session} ${wish.region ?? ''}`)
      switch (policy) {
        case 'sticky':
          return bySite(pool, `${siteOf(host)} ${wish.region ?? ''}`)
        case 'round-robin':
          return pool[turn++ % (pool.length || 1)]
        case 'least-loaded':
          return leastLoaded(pool)
        case 'random':
          return pool[Math.floor(random() * pool.length)]
      }
    },
  }
}

// --- internal ---

/** As many as are to be in use, those that will last first: the rest are standbys or about to be retired. */
function candidates(state: FleetState, region: string | undefined, now: number): Member[] {
  const all = [...state.members.values()].filter(
    member => usable(member, now) && (region === undefined || member.region === region),
  )
  const lasting = all.filter(member => fresh(state, member, now))
  const ending = all.filter(member => !lasting.includes(member)).sort((a, b) => b.readyAt - a.readyAt)
  return [...lasting.sort((a, b) => a.readyAt - b.readyAt), ...ending].slice(0, state.settings.sessions)
}

const leastLoaded = (pool: Member[]): Member | undefined =>
  pool.reduce<Member | undefined>(
    (best, member) => (best && best.connections <= member.connections ? best : member),
    undefined,
  )

/** The registered domain, so that a site's many host names share an exit; an address stands for itself. */
const siteOf = (host: string): string => parse(host).domain ?? host
