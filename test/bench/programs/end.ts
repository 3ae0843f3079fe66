import { createInterface } from 'node:readline'
import type { Endpoint } from '../../../tunnel/net/endpoint.ts'
import type { Tuning } from '../../../tunnel/quic/tuning.ts'
import { createClock } from './clock.ts'
import { say, spec } from './spec.ts'

/** What both ends of a pair are started with. */
export interface EndSpec {
  role: 'client' | 'server'
  /** Its own. */
  address: string
  /** PEM. */
  key: string
  certificate: string
  /** SHA-256 of the other end's certificate. */
  pin: string
  /** In place of the tunnel's own choice. */
  tuning?: Partial<Tuning> | undefined
}

/** A transfer that an end is told of: the sender opens the stream, the receiver tells when it had the last byte, or when the time is over. */
export interface Transfer {
  send: boolean
  bytes: number
  forMs?: number | undefined
}

/** What an end has sent so far. */
export interface Packets {
  sent: number
  batches: number
}

/** One end of a QUIC connection, whatever drives it. */
export interface End {
  /** The UDP port that it bound. */
  port: number
  /** Resolves when the handshake is done. */
  connect(peer: Endpoint): Promise<void>
  /** Opens a stream, sends so many bytes and the end. */
  send(bytes: number): void
  packets(): Packets
  /** Called for what arrives, with fin at the end of each stream. */
  onReceived: (bytes: number, fin: boolean) => void
}

export const chunkSize = 64 * 1024

/** Runs an end as a process: tells its port, is told the peer's, then does the transfers that it is told of. */
export async function serve(open: (spec: EndSpec) => Promise<End>): Promise<void> {
  const end = await open(spec<EndSpec>())
  say({ port: end.port })
  for await (const line of createInterface({ input: process.stdin })) {
    const told = JSON.parse(line) as { peer: Endpoint } | { tell: 'packets' } | Transfer
    if ('peer' in told) {
      await end.connect(told.peer)
      say({ ready: true })
    } else if ('tell' in told) say(end.packets())
    else if (told.send) end.send(told.bytes)
    else receive(end, told)
  }
}

// --- internal ---

function receive(end: End, { forMs }: Transfer): void {
  let received = 0
  let clock = createClock(forMs)
  const done = () => say({ received, seconds: clock.seconds() })
  end.onReceived = (bytes, fin) => {
    if (received === 0) {
      // Until now the sender may not even have been told.
      clock = createClock(forMs)
      clock.begin()
      void clock.over.then(done)
    }
    received += bytes
    if (fin) done()
  }
}
