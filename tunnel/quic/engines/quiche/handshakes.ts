import { type QuicheConnection, quiche, type RecvInfo } from './binding.ts'

/** Handshakes at once: whoever can forge the peer's address may begin some beside it, and costs no more than these. */
const maxHandshakes = 4

export const connectionIdLength = 8

export interface HandshakesOptions {
  recvInfo: RecvInfo
  /** Takes up a connection under this id. */
  accept: (connectionId: Uint8Array) => QuicheConnection
}

interface Handshake {
  connection: QuicheConnection
  /** The id that the dialler made up, and the one that it is to use from then on. */
  ids: [string, string]
}

/**
 * A server's handshakes while none is done. Nothing but its address vouches for an Initial (RFC 9001, section 5.2), so
 * one that comes to nothing is forgotten, and the next Initial begins anew.
 */
export class Handshakes {
  readonly #options: HandshakesOptions
  #handshakes: Handshake[] = []

  constructor(options: HandshakesOptions) {
    this.#options = options
  }

  get connections(): QuicheConnection[] {
    return this.#handshakes.map(({ connection }) => connection)
  }

  /** Hands a packet to the connection that it is for; an Initial of nobody's begins one (RFC 9000, section 17.2.2). */
  receive(datagram: Uint8Array): void {
    const handshake = this.#of(datagram)
    if (!handshake) return
    try {
      handshake.connection.recv(datagram, this.#options.recvInfo)
    } catch {
      // One that fails for a reason may still tell it to the dialler; of noise nothing is kept.
      if (!hasFailed(handshake.connection)) return
    }
    if (this.#handshakes.includes(handshake)) return
    this.#handshakes = [...this.#handshakes.slice(1 - maxHandshakes), handshake]
  }

  drop(connection: QuicheConnection): void {
    this.#handshakes = this.#handshakes.filter(handshake => handshake.connection !== connection)
  }

  clear(): void {
    this.#handshakes = []
  }

  // --- internal ---

  #of(datagram: Uint8Array): Handshake | undefined {
    try {
      const { ty, dcid } = quiche.Header.fromSlice(datagram, connectionIdLength)
      const id = Buffer.from(dcid).toString('hex')
      const known = this.#handshakes.find(({ ids }) => ids.includes(id))
      if (known || ty !== initial) return known
      const connectionId = crypto.getRandomValues(new Uint8Array(connectionIdLength))
      const connection = this.#options.accept(connectionId)
      return { connection, ids: [id, Buffer.from(connectionId).toString('hex')] }
    } catch {
      // Not a packet that begins anything.
      return undefined
    }
  }
}

/** Whether nothing more can come of it. */
export const hasFailed = (connection: QuicheConnection): boolean =>
  connection.isClosed() || connection.isDraining() || connection.localError() !== null

// --- internal ---

/** quiche.Type.Initial. */
const initial = 0
