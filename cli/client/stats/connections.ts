import { BoundedMap } from '../../../tunnel/net/bounded-map.ts'
import type { NotConnected, ProxyEvent } from './events.ts'
import type { ConnectionState } from './state.ts'

/** Connections that ended stay in sight up to this many. */
export const maxEnded = 500

/** Hears of a connection that was opened, carried so much more, or ended. */
type Change = (connection: ConnectionState, up: number, down: number) => void

/** The connections of this process: all that are active, and those that ended last. */
export interface Connections {
  /** Tells which connections the event changed. */
  apply(event: ProxyEvent, now: number, changed: Change): void
  /** Those that changed at `since` or later. */
  read(since: number): ConnectionState[]
  readonly active: number
}

export function createConnections(): Connections {
  const active = new Map<number, ConnectionState>()
  const ended = new BoundedMap<number, ConnectionState>(maxEnded)

  const count = (
    connection: ConnectionState,
    bytesUp: number,
    bytesDown: number,
    now: number,
    changed: Change,
  ) => {
    const up = bytesUp - connection.bytesUp
    const down = bytesDown - connection.bytesDown
    connection.bytesUp = bytesUp
    connection.bytesDown = bytesDown
    connection.changedAt = now
    changed(connection, up, down)
  }
  const keep = (connection: ConnectionState) => ended.set(connection.id, connection)

  return {
    apply(event, now, changed) {
      switch (event.type) {
        case 'connection.opened': {
          const connection = opened(event, now)
          active.set(connection.id, connection)
          changed(connection, 0, 0)
          break
        }
        case 'traffic.sampled':
          for (const { connection: id, bytesUp, bytesDown } of event.connections) {
            const connection = active.get(id)
            if (connection) count(connection, bytesUp, bytesDown, now, changed)
          }
          break
        case 'connection.closed': {
          const connection = active.get(event.connection)
          if (!connection) return
          connection.endedAt = now
          connection.end = event.end
          active.delete(connection.id)
          keep(connection)
          count(connection, event.bytesUp, event.bytesDown, now, changed)
          break
        }
        case 'connection.refused':
          keep({ ...notMade(event, now), end: 'refused', reply: event.reply })
          break
        case 'connection.failed':
          keep({ ...notMade(event, now), end: 'failed' })
      }
    },
    read: since => [...active.values(), ...ended.values()].filter(({ changedAt }) => changedAt >= since),
    get active() {
      return active.size
    },
  }
}

// --- internal ---

function opened(
  {
    connection: id,
    session,
    outbound,
    target,
    user,
    ms: setUpMs,
  }: Extract<ProxyEvent, { type: 'connection.opened' }>,
  now: number,
): ConnectionState {
  const connection: ConnectionState = {
    id,
    outbound,
    target,
    openedAt: now,
    setUpMs,
    bytesUp: 0,
    bytesDown: 0,
    changedAt: now,
  }
  if (session !== undefined) connection.session = session
  if (user !== undefined) connection.user = user
  return connection
}

const notMade = (
  { connection: id, outbound, target, user, protocol, code, message, hint }: NotConnected,
  now: number,
) => ({
  id,
  ...(outbound !== undefined && { outbound }),
  target,
  ...(user !== undefined && { user }),
  ...(protocol !== undefined && { protocol }),
  error: { code, message, ...(hint !== undefined && { hint }) },
  openedAt: now,
  bytesUp: 0,
  bytesDown: 0,
  changedAt: now,
  endedAt: now,
})
