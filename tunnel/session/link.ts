import type { Punched } from '../nat/ice/punch.ts'
import { QuicConnection } from '../quic/connection.ts'
import type { Engine } from '../quic/engine.ts'
import type { Identity } from '../quic/identity.ts'
import type { Role, Tuning } from '../quic/tuning.ts'

export interface LinkOptions {
  engine: Engine
  punched: Punched
  identity: Identity
  pin: string
  role: Role
  tuning?: Tuning | undefined
}

/**
 * Turns a punched socket into a QUIC connection: fixes the peer, hands its late checks to the check list, and waits
 * for handshake and pin. Throws a QuicError; the socket stays the caller's to close.
 */
export function link({ punched, ...options }: LinkOptions): Promise<QuicConnection> {
  const { socket, nominated, answerCheck, early } = punched
  return QuicConnection.connect({
    ...options,
    socket,
    peer: nominated,
    early,
    onPacket: packet => answerCheck(packet, nominated),
  })
}
