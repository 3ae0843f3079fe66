import { BoundedMap } from '../../../tunnel/net/bounded-map.ts'
import type { NotConnected, ProxyEvent } from './events.ts'
import type { ConnectionState } from './state.ts'

/** Connections that ended stay in sight up to this many. */
export const maxEnded = 500

/** How much more a connection has carried. */
export interface Carried {
  connection: ConnectionState
  up: number
  down: number
}

/** The connections of this process: all that are active, and those that ended last. */
export interface Connections {
  /** Those that were opened, carried more, or ended, by the event. */
  apply(event: ProxyEvent, now: number): Carried[]
  /** Those that changed at `since` or later. */
  read(since: number): ConnectionState[]
  readonly active: number
}

export function createConnections(): Connections {
  const active = new Map<number, ConnectionState>()
  const ended = new BoundedMap<number, ConnectionState>(maxEnded)

  const count = (connection: ConnectionState, bytesUp: number, bytesDown: number, now: number): Carried => {
    const carried = { connection, up: bytesUp - connection.bytesUp, down: bytesDown - connection.bytesDown }
    connection.bytesUp = bytesUp
    connection.bytesDown = bytesDown
    connection.changedAt = now
    return carried
  }
  const keep = (connection: ConnectionState) => ended.set(connection.id, connection)

  return {
    apply(event, now) {
      switch (event.type) {
        case 'connection.opened': {
          const { connection: id, session, outbound, target, user, ms: setUpMs } = event
          const connection: ConnectionState = {
            id,
            ...(session !== undefined && { session }),
            outbound,
            target,
            ...(user !== undefined && { user }),
            openedAt: now,
            setUpMs,
            bytesUp: 0,
            bytesDown: 0,
            changedAt: now,
          }
          active.set(id, connection)
          return [{ connection, up: 0, down: 0 }]
        }
        case 'traffic.sampled':
          return event.connections.flatMap(({ connection: id, bytesUp, bytesDown }) => {
            const connection = active.get(id)
            return connection ? count(connection, bytesUp, bytesDown, now) : []
          })
        case 'connection.closed': {
          const connection = active.get(event.connection)
          if (!connection) return []
          const carried = count(connection, event.bytesUp, event.bytesDown, now)
          Object.assign(connection, { endedAt: now, end: event.end })
          active.delete(connection.id)
          keep(connection)
          return [carried]
        }
        case 'connection.refused':
          keep({ ...notMade(event, now), end: 'refused', reply: event.reply })
          return []
        case 'connection.failed':
          keep({ ...notMade(event, now), end: 'failed' })
          return []
        default:
          return []
      }
    },
    read: since => [...active.values(), ...ended.values()].filter(({ changedAt }) => changedAt >= since),
    get active() {
      return active.size
    },
  }
}

// --- internal ---

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
