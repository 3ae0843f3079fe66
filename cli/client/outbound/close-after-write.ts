import type { Wire } from '../../../tunnel/session/relay.ts'

/** A client that was told why has this long to go. Milliseconds. */
const refusalMs = 5_000

/**
 * Writes what there is left to say, and ends: what comes is not read any more, and who does not leave
 * within the limit (milliseconds) is cut off.
 */
export function lastWords(wire: Wire, bytes?: Uint8Array, limitMs = refusalMs): void {
  const timer = setTimeout(() => wire.abort(), limitMs)
  const { onClose } = wire
  wire.onClose = () => {
    clearTimeout(timer)
    onClose()
  }
  wire.onData = () => {}
  wire.onDrain = () => {}
  wire.onEnd = () => {}
  if (bytes) wire.write(bytes)
  wire.end()
  wire.resume()
}
