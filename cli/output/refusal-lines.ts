import type { ProxyEvent } from '../client/stats/events.ts'
import { withAdvice } from './advice.ts'

type Refused = Extract<ProxyEvent, { type: 'connection.refused' }>

/** A kind of refusal is told again after this long. Milliseconds. */
const againMs = 60_000

/**
 * Lines about refusals for a person who did not ask for every connection: one a kind and minute, with how many more
 * there were. Gives undefined for what is not to be told. Where the connections were to go is not said.
 */
export function refusalLines(now: () => number = () => performance.now()) {
  const told = new Map<string, { at: number; untold: number }>()
  return (event: Refused): string | undefined => {
    const { code } = event
    // The person's own rule: no news.
    if (code === 'E_TARGET_BLOCKED') return undefined
    const known = told.get(code)
    if (known && now() - known.at < againMs) {
      known.untold++
      return undefined
    }
    told.set(code, { at: now(), untold: 0 })
    const more = known?.untold ? ` (${known.untold} more since the last such line)` : ''
    return `Connection refused: ${withAdvice(event)}${more}`
  }
}
