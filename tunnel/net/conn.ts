/**
 * A TCP connection as the relay sees it, whatever the runtime's sockets are like. Backpressure in both
 * directions is the point of it: neither side ever queues more than one chunk.
 */
export interface Conn {
  /** Data came; the bytes are valid only until it returns. */
  onData: (chunk: Uint8Array) => void
  /** The peer ended its direction. */
  onEnd: () => void
  /** What the connection held is written; it takes more. */
  onDrain: () => void
  /** The connection is gone, whichever way. */
  onClose: () => void
  /** Writes a chunk. False: it could not be written at once, the connection keeps the buffer until `onDrain`. */
  write(chunk: Uint8Array): boolean
  /** Ends our direction (FIN) after what was written. */
  end(): void
  /** Drops the connection (RST where the runtime can). */
  abort(): void
  pause(): void
  resume(): void
}
