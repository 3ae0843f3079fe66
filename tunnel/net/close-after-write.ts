import type { Conn } from './conn.ts'
import { endLimit, startLimit } from './time-limit.ts'

/** Who was told why has this long to go. Milliseconds. */
const goodbyeMs = 5_000

/**
 * Takes a connection that nobody owns to its end: writes what there is left to say, ends, and reads what comes to no
 * purpose. Who does not end as well within the limit (milliseconds) is cut off.
 */
export function closeAfterWrite(conn: Conn, bytes?: Uint8Array, limitMs = goodbyeMs): void {
  const limit = startLimit(limitMs, () => conn.abort(0))
  conn.attach({ data() {}, end() {}, drain() {}, close: () => endLimit(limit) })
  if (bytes) conn.write(bytes)
  conn.end()
}
