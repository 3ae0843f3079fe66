import type { Conn } from '../../../tunnel/net/conn.ts'

/** A client that was told why has this long to go. Milliseconds. */
const refusalMs = 5_000

/**
 * Writes what there is left to say, and ends: what comes is not read any more, and who does not leave
 * within the limit (milliseconds) is cut off.
 */
export function closeAfterWrite(conn: Conn, bytes?: Uint8Array, limitMs = refusalMs): void {
  const timer = setTimeout(() => conn.abort(), limitMs)
  const { onClose } = conn
  conn.onClose = () => {
    clearTimeout(timer)
    onClose()
  }
  conn.onData = () => {}
  conn.onDrain = () => {}
  conn.onEnd = () => {}
  if (bytes) conn.write(bytes)
  conn.end()
  conn.resume()
}
