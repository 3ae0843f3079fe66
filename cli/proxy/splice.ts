import type { RelayOptions, Wire } from '../../tunnel/relay.ts'

/**
 * Carries bytes between two connections until both directions have ended; a break on either side breaks
 * the other. The chunks of both must stay as they are after `onData` has returned: Bun's do, and a
 * WireDuplex's are its writer's.
 */
export function splice(client: Wire, target: Wire, { counts, onEnd }: RelayOptions = {}): void {
  let ended = 0
  let over = false
  const finish = (how: 'complete' | 'wire-closed') => {
    if (over) return
    over = true
    onEnd?.(how)
  }
  const carry = (from: Wire, to: Wire, count: 'fromWire' | 'toWire') => {
    from.onData = chunk => {
      if (counts) counts[count] += chunk.length
      if (!to.write(chunk)) from.pause()
    }
    to.onDrain = () => from.resume()
    from.onEnd = () => {
      if (++ended === 2) finish('complete')
      to.end()
    }
    from.onClose = () => {
      if (over) return
      finish('wire-closed')
      to.abort()
    }
  }
  carry(client, target, 'fromWire')
  carry(target, client, 'toWire')
}
