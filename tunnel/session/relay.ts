import type { Conn, ConnHandlers, Detach } from '../net/conn.ts'
import { endLimit, startLimit, type TimeLimit } from '../net/time-limit.ts'
import type { RelayCounts, RelayEnd } from './relay-report.ts'

export interface RelayLimits {
  /**
   * With one direction ended and nothing in the other for this long, both are given up: a peer that is gone without a
   * word would be waited for without end. Milliseconds.
   */
  halfClosedMs: number
  /** Who is gone in good order leaves the other so long to end as well, and reads nothing more. Milliseconds. */
  goodbyeMs: number
}

export interface RelayOptions {
  counts?: RelayCounts | undefined
  /** Told once, when all is said or can no more be said; the last bytes may still be on their way. */
  onEnd?: ((how: RelayEnd) => void) | undefined
  limits?: RelayLimits
}

const defaultLimits: RelayLimits = { halfClosedMs: 300_000, goodbyeMs: 30_000 }

/**
 * Joins two connections, which nobody owns, until both directions have ended. Each direction's end is passed on by itself
 * (half-close); a break on either side breaks the other, behind what was said before it. Gives the function that lets go
 * of both, and hands bytes back to the client's.
 */
export function relay(client: Conn, target: Conn, options: RelayOptions = {}): Detach {
  const { counts = { up: 0, down: 0 }, onEnd, limits = defaultLimits } = options
  let directions = 2
  let conns = 2
  let over = false
  let limit: TimeLimit | undefined

  const finish = (how: RelayEnd) => {
    if (over) return
    over = true
    onEnd?.(how)
  }
  const within = (ms: number, late: () => void) => {
    endLimit(limit)
    limit = startLimit(ms, late)
  }
  const watch = () => {
    const { up, down } = counts
    within(limits.halfClosedMs, () => {
      // Who is slow to take something is not silent.
      if (up !== counts.up || down !== counts.down || client.full || target.full) return watch()
      target.abort()
      client.abort()
    })
  }
  const carry = (from: Conn, to: Conn, direction: keyof RelayCounts): ConnHandlers => {
    let ended = false
    return {
      data(chunk) {
        counts[direction] += chunk.length
        if (!to.write(chunk)) from.pause()
      },
      end() {
        ended = true
        to.end()
        watch()
        if (--directions === 0) finish('complete')
      },
      drain: () => to.resume(),
      close(broken) {
        if (--conns === 0) endLimit(limit)
        // Behind both ends there is nothing to tell: what was said to the other one is still delivered.
        if (directions === 0) return
        to.resume()
        if (broken || !ended) {
          finish(from === client ? 'client-closed' : 'target-closed')
          to.abort()
        } else {
          finish('complete')
          within(limits.goodbyeMs, () => to.abort())
        }
      },
    }
  }
  const letGo = [
    client.attach(carry(client, target, 'up')),
    target.attach(carry(target, client, 'down')),
  ] as const
  // What was said before the relay may still be on its way.
  if (client.full) target.pause()
  if (target.full) client.pause()
  return rest => {
    endLimit(limit)
    letGo[0](rest)
    letGo[1]()
  }
}
