import type { Punched } from '../nat/ice/punch.ts'
import { classify } from '../net/demux.ts'
import type { Tuning } from '../quic/config.ts'
import { QuicConnection } from '../quic/connection.ts'
import type { Identity } from '../quic/identity.ts'

export interface LinkOptions {
  punched: Punched
  identity: Identity
  pin: string
  role: 'client' | 'server'
  tuning?: Tuning
}

/**
 * SendScheduler a punched socket into a QUIC connection: fixes the peer, hands its QUIC packets to the
 * connection and its late checks to the check list, and waits for handshake and pin. Throws a
 * QuicError; the socket stays the caller's to close.
 */
export async function link({ punched, ...options }: LinkOptions): Promise<QuicConnection> {
  const { socket, nominated, answerCheck, early } = punched
  await socket.connect(nominated)
  const connection = new QuicConnection({ ...options, socket, peer: nominated })
  socket.onDatagram = (datagram, address, port) => {
    const kind = classify(datagram)
    if (kind === 'quic') connection.receive(datagram)
    else if (kind === 'stun') answerCheck(datagram, { address, port })
  }
  for (const datagram of early) connection.receive(datagram)
  await connection.ready
  return connection
}
