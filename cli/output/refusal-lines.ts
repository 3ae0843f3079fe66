import type { ProxyEvent } from '../client/stats/events.ts'
import { withAdvice } from './advice.ts'

/** A client, or one of its connections, was refused. */
export type Refused = Extract<ProxyEvent, { type: 'connection.refused' | 'client.rejected' }>

/** A kind of refusal is told again after this long. Milliseconds. */
const againMs = 60_000

/**
 * Lines about refusals for a person who did not ask for every connection: one a kind and minute, with how many more
 * there were. Gives undefined for what is not to be told. Where the connections were to go is not said.
 */
export function refusalLines(local: boolean, now: () => number = () => performance.now()) {
  const told = new Map<string, { at: number; untold: number }>()
  return (event: Refused): string | undefined => {
    if (isOrdinary(event)) return undefined
    const kind = `${event.type} ${event.code}`
    const known = told.get(kind)
    if (known && now() - known.at < againMs) {
      known.untold++
      return undefined
    }
    told.set(kind, { at: now(), untold: 0 })
    const more = known?.untold ? ` (${known.untold} more since the last such line)` : ''
    return `${subjectOf(event)}: ${withAdvice(event, local)}${more}`
  }
}

/** What was refused, as the beginning of a line. */
export const subjectOf = (event: Refused): string =>
  event.type === 'connection.refused'
    ? 'Connection refused'
    : `Rejected ${clientNames[event.protocol]} client`

// --- internal ---

const clientNames = { socks5: 'SOCKS5', http: 'HTTP', unknown: 'unknown' } as const

/** Blocked by the user's own rule, or an HTTP client that sends its login only when asked. */
const isOrdinary = (event: Refused) =>
  event.code === 'E_TARGET_BLOCKED' ||
  (event.type === 'client.rejected' && event.protocol === 'http' && event.code === 'E_LOGIN_REQUIRED')
