import { createInterface } from 'node:readline'
import { say, spec } from './spec.ts'

/** What both ends of a pair are started with. */
export interface EndSpec {
  role: 'dial' | 'answer'
  /** PEM. */
  key: string
  certificate: string
  /** SHA-256 of the other end's certificate. */
  pin: string
}

/** A transfer that an end is told of: the sender opens the stream, the receiver tells when it had the last byte. */
export interface Transfer {
  send: boolean
  bytes: number
}

/** One end of a QUIC connection, whatever drives it. */
export interface End {
  /** The UDP port that it bound. */
  port: number
  /** Resolves when the handshake is done. */
  connect(peerPort: number): Promise<void>
  /** Opens a stream, sends so many bytes and the end. */
  send(bytes: number): void
  /** Called for what arrives, with fin at the end of each stream. */
  onReceived: (bytes: number, fin: boolean) => void
}

export const loopback = '127.0.0.1'
export const chunkSize = 64 * 1024

/** Runs an end as a process: tells its port, is told the peer's, then does the transfers that it is told of. */
export async function serve(open: (spec: EndSpec) => Promise<End>): Promise<void> {
  const end = await open(spec<EndSpec>())
  say({ port: end.port })
  let received = 0
  let began = 0
  end.onReceived = (bytes, fin) => {
    if (received === 0) began = performance.now()
    received += bytes
    if (!fin) return
    say({ received, seconds: (performance.now() - began) / 1000 })
    received = 0
  }
  for await (const line of createInterface({ input: process.stdin })) {
    const told = JSON.parse(line) as { peer: number } | Transfer
    if ('peer' in told) {
      await end.connect(told.peer)
      say({ ready: true })
    } else if (told.send) end.send(told.bytes)
  }
}
