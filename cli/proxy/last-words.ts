import type { Wire } from '../../tunnel/relay.ts'

/** A client that was told why has this long to go. Milliseconds. */
const limitMs = 5_000

/** Tells a client why it is not served, and ends: what it still sends is not read, and if it stays it is cut off. */
export function lastWords(wire: Wire, bytes?: Uint8Array): void {
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
