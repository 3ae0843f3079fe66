import type { EngineOptions } from '../../engine.ts'
import { alpn, idleTimeoutMs, streamWindowFor, type Tuning } from '../../tuning.ts'
import type { AttachOptions } from './socket.ts'

/** The largest UDP payload of a packet in Ethernet's 1,500 bytes: path MTU discovery tries no larger one. */
const maxPacketSize = 1_472

/** UDP's own habits: a burst is lost that is longer than this. Bytes. */
const datagramBuffer = 4 * 1024 * 1024

/** Where the peer knows the extension: with GRO most packets of a burst are acknowledged at once anyway. */
const ackEvery = 8

export function attachOptions({
  peer,
  mayMove,
  role,
  identity,
  pin,
  tuning,
  rttMs,
}: EngineOptions): AttachOptions {
  return {
    address: peer.address,
    port: peer.port,
    open: mayMove,
    role,
    key: identity.key,
    certificate: identity.certificate,
    pin: Buffer.from(pin, 'hex'),
    alpn,
    congestion: congestionOf(tuning),
    packetSize: tuning.packetSize,
    maxPacketSize: Math.max(maxPacketSize, tuning.packetSize),
    streamWindow: streamWindowFor(tuning.fixed, rttMs),
    connectionWindow: tuning.fixed.connection,
    sendBuffer: tuning.fixed.send,
    maxStreams: tuning.maxStreams,
    datagramBuffer,
    idleTimeoutMs,
    // The liveness monitor asks when it has heard nothing.
    keepAliveMs: 0,
    ackEvery,
  }
}

/** BBR where it is asked for; what quiche alone knows is CUBIC here. */
const congestionOf = ({ congestionControl }: Tuning): AttachOptions['congestion'] =>
  congestionControl === 'BBR' ? 'bbr' : 'cubic'
