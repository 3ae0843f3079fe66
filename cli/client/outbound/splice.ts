import type { Conn } from '../../../tunnel/net/conn.ts'
import type { RelayOptions } from '../../../tunnel/session/relay.ts'
import { closeAfterWrite } from './close-after-write.ts'

/** How long the system may take to deliver the last bytes, to however slow a reader. Milliseconds. */
const lingerMs = 300_000

/**
 * Carries bytes between two connections until both directions have ended; a break on either side breaks
 * the other. The chunks of both must stay as they are after `onData` has returned: Bun's do, and a
 * ConnDuplex's are its writer's.
 */
export function splice(client: Conn, target: Conn, { counts, onEnd }: RelayOptions = {}): void {
  let ended = 0
  let over = false
  const finish = (how: 'complete' | 'conn-closed') => {
    if (over) return
    over = true
    onEnd?.(how)
  }
  const carry = (from: Conn, to: Conn, count: 'fromConn' | 'toConn') => {
    from.onData = chunk => {
      if (counts) counts[count] += chunk.length
      if (!to.write(chunk)) from.pause()
    }
    to.onDrain = () => from.resume()
    let fromEnded = false
    from.onEnd = () => {
      fromEnded = true
      if (++ended === 2) finish('complete')
      to.end()
    }
    from.onClose = () => {
      if (over) return
      finish('conn-closed')
      // What it said to its end still arrives; what it said half of must not look whole.
      if (fromEnded) closeAfterWrite(to, undefined, lingerMs)
      else to.abort()
    }
  }
  carry(client, target, 'fromConn')
  carry(target, client, 'toConn')
}
