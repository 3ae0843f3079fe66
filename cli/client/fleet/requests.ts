import { isIPv6 } from 'node:net'
import { CodedError } from '../../../tunnel/net/coded-error.ts'
import type { Events } from '../stats/events.ts'
import { askForSite, ban, banMs, meets } from './bans.ts'
import { isSpent } from './budget-gate.ts'
import { isIdle } from './idle.ts'
import { isAccepting } from './plan.ts'
import { newServed, type Served, siteOf } from './sites.ts'
import type { ExitState, FleetState } from './state.ts'

/** The exits that are meant: one by its session's id, a region's, the one that a site used last, or all. */
export type Which = { exit: string } | { region: string } | { site: string } | { all: true }

export type RequestErrorCode =
  | 'E_EXIT_NOT_FOUND'
  | 'E_EXIT_NOT_ACTIVE'
  | 'E_REGION_NOT_DEPLOYED'
  | 'E_SITE_INVALID'
  | 'E_SITE_NOT_SERVED'

/** What is asked of the fleet cannot be done; the hint says what could be. */
export class RequestError extends CodedError<RequestErrorCode> {
  override readonly name = 'RequestError'
}

export interface Banned {
  site: string
  /** The exit that served it last, and the address that the site gets no more. */
  session: string
  address: string
  /**
   * No exit that is up can serve it, and one is launched, which its connections wait for. While the fleet is idle or
   * over budget, none is launched.
   */
  launching: boolean
}

/** What people and programs may ask of a running fleet. */
export interface FleetRequests {
  /** Retires exits, which take connections until their replacements are up. Gives their ids. Throws a RequestError. */
  rotate(which: Which): string[]
  /**
   * The exit that served this site last is not used for it again, nor another with its address. `session` says which
   * it was, where that is known. Throws a RequestError.
   */
  ban(host: string, session?: string): Banned
  bans(): { site: string; addresses: string[] }[]
}

export interface RequestOptions {
  state: FleetState
  events: Events
  replan(): void
}

export function fleetRequests({ state, events, replan }: RequestOptions): FleetRequests & {
  /** Takes note of the exit that a connection for the site got. */
  note(site: string, region: string | undefined, exit: ExitState): void
} {
  const served = newServed()
  const active = () => [...state.exits.values()].filter(({ phase }) => phase === 'active')
  const lastOf = (host: string): Served => {
    const site = readSite(host)
    const last = served.get(site)
    if (last) return last
    throw new RequestError('E_SITE_NOT_SERVED', `no exit has served ${site} since the proxy started`, {
      hint: 'Sites are registered domains, such as example.com, or addresses.',
    })
  }
  const named = (id: string): ExitState => {
    const exit = state.exits.get(id)
    const hint = idsIn(active())
    if (!exit) throw new RequestError('E_EXIT_NOT_FOUND', `there is no exit ${id}`, { hint })
    if (exit.phase === 'active') return exit
    const now = exit.phase === 'launching' ? 'is still being launched' : 'is being replaced already'
    throw new RequestError('E_EXIT_NOT_ACTIVE', `exit ${id} ${now}`, { hint })
  }
  const chosen = (which: Which): ExitState[] => {
    if ('exit' in which) return [named(which.exit)]
    if ('site' in which) {
      const { exit } = lastOf(which.site)
      return active().filter(({ id }) => id === exit)
    }
    if ('all' in which) return active()
    if (!state.regions.has(which.region))
      throw new RequestError('E_REGION_NOT_DEPLOYED', `no exit is deployed in ${which.region}`, {
        hint: `Regions are ${[...state.regions.keys()].join(', ')}.`,
      })
    return active().filter(({ region }) => region === which.region)
  }

  return {
    note(site, region, { id, address }) {
      if (address !== undefined) served.set(site, { exit: id, address, region })
    },
    rotate(which) {
      const exits = chosen(which)
      // Their replacements are due from now on; they go on taking connections until those are there.
      for (const exit of exits) exit.retired = true
      replan()
      return exits.map(({ id }) => id)
    },
    ban(host, session) {
      // A connection's host is what it is, and need not be one of a URL.
      const site = session === undefined ? readSite(host) : siteOf(host)
      const known = session === undefined ? undefined : state.exits.get(session)
      const { exit, address, region } =
        known?.address === undefined
          ? lastOf(site)
          : { exit: known.id, address: known.address, region: served.get(site)?.region }
      const now = performance.now()
      ban(state.bans, site, address, now)
      askForSite(state.bans, { site, region }, now)
      const serving = active().filter(
        exit => isAccepting(exit, now) && meets(state.bans, exit, { site, region, at: now }),
      )
      const launches = !isIdle(state, now) && !isSpent(state)
      const banned = { site, session: exit, address, launching: serving.length === 0 && launches }
      events.emit({ type: 'site.banned', ...banned, forMs: banMs })
      replan()
      return banned
    },
    bans: () =>
      [...state.bans.sites].map(([site, addresses]) => ({ site, addresses: [...addresses.keys()] })),
  }
}

// --- internal ---

/** A site as people write it, in whatever script: a name, an address, or a URL. */
function readSite(text: string): string {
  const url = text.includes('://') ? text : `http://${isIPv6(text) ? `[${text}]` : text}`
  const host = URL.parse(url)?.hostname.replace(/^\[(.*)\]$/, '$1')
  if (host) return siteOf(host)
  throw new RequestError('E_SITE_INVALID', 'that is no site', {
    hint: 'Name a domain such as example.com, or an address.',
  })
}

const idsIn = (exits: readonly ExitState[]): string =>
  exits.length === 0
    ? 'No exit is active now.'
    : `Active are ${exits.map(({ id, region, address }) => `${id} (${address ?? region})`).join(', ')}.`
