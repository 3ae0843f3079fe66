import { BoundedMap } from '../../../tunnel/net/bounded-map.ts'
import type { Exits } from '../fleet/exits.ts'
import { siteOf } from '../fleet/sites.ts'
import type { Events } from '../stats/events.ts'

/** An HTTP server's answer, as far as this program reads them: not those within TLS. */
export interface Answer {
  host: string
  /** The exit's session, where it went through one. */
  session: string | undefined
  status: number
}

/** A site has so many exits banned by its answers in so much time: one that refuses everybody is no reason for more. */
const maxBans = 3
const windowMs = 600_000
/** Sites whose bans are counted. */
const maxSites = 1_000

/** Bans the exit for the site when the site's answer has one of these codes. */
export function banOn(
  statuses: () => readonly number[],
  exits: Exits,
  events: Events,
  now = () => performance.now(),
): (answer: Answer) => void {
  /** Site → when its last bans were, the oldest first, and whether it was told that there are no more for now. */
  const bans = new BoundedMap<string, { times: number[]; told: boolean }>(maxSites)
  return ({ host, session, status }) => {
    // Of answers that come at once, the first does it.
    if (session === undefined || !statuses().includes(status) || !exits.mayReuse(session, host)) return
    const site = siteOf(host)
    const known = bans.get(site)
    const times = (known?.times ?? []).filter(at => at + windowMs > now())
    if (times.length < maxBans) {
      bans.set(site, { times: [...times, now()], told: false })
      exits.ban?.(host, session)
    } else if (!known?.told) {
      bans.set(site, { times, told: true })
      events.emit({ type: 'site.spared', site, session, status, bans: maxBans, withinMs: windowMs })
    }
  }
}
