import type { PacketSocket } from '../../../net/udp/socket.ts'
import type { QuicheConnection } from './binding.ts'

/** Packets a system call: Bun sends them by one sendmmsg. */
const batchSize = 64

/** The connection's way out: a batch of packet buffers, filled by the binding and handed to the socket, over and over. */
export class Packets {
  /** Batches sent so far. */
  batches = 0
  /** Packets made so far. */
  made = 0
  /** What quiche took to make them. The socket's part is the system's, and no peer's doing. Milliseconds. */
  makingMs = 0
  /** The connection had nothing more to send, or may send no more now, when it was last asked. */
  drained = true
  readonly #socket: PacketSocket
  readonly #buffers: Uint8Array[]
  readonly #lengths: number[] = new Array(batchSize).fill(0)
  /** buffers[sent..filled) wait for the socket. */
  #sent = 0
  #filled = 0

  constructor(socket: PacketSocket, packetSize: number) {
    this.#socket = socket
    this.#buffers = Array.from({ length: batchSize }, () => new Uint8Array(packetSize))
  }

  /**
   * Sends until the connection has nothing more, the socket is full, or so many batches are gone. True
   * when there is more to send now; when the socket is full, its onDrain says when.
   */
  flush(connection: QuicheConnection, batches: number): boolean {
    for (let i = 0; i < batches; i++) {
      this.fill(connection)
      this.drained = this.#sent === this.#filled
      if (this.drained) return false
      this.batches++
      this.#sent = this.#socket.sendBatch(this.#buffers, this.#lengths, this.#sent, this.#filled)
      if (this.#sent < this.#filled) return false
    }
    return true
  }

  /** Makes packets of what the connection has now, as many as the batch has room for, and leaves them to the next flush. */
  fill(connection: QuicheConnection): void {
    if (this.#sent === this.#filled) this.#sent = this.#filled = 0
    const began = performance.now()
    while (this.#filled < batchSize) {
      const packet = make(connection, this.#buffers[this.#filled]!)
      if (!packet) break
      this.#lengths[this.#filled++] = packet[0]
      this.made++
    }
    this.makingMs += performance.now() - began
  }
}

// --- internal ---

function make(connection: QuicheConnection, buffer: Uint8Array): [number, unknown] | null {
  try {
    return connection.send(buffer)
  } catch {
    return null
  }
}
