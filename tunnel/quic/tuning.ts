/** The application protocol of this tunnel; its number changes when the frames do. */
export const alpn = 'lambda-nat-proxy/1'

/** Silence that ends a connection, in milliseconds. Probes keep a live one from ever being silent. */
export const idleTimeoutMs = 15_000

/** Which end of QUIC this is: the function dials as the client, the laptop answers as the server. */
export type Role = 'client' | 'server'

/** What a QUIC connection may hold and send. Bytes unless said otherwise. */
export interface Tuning {
  /** UDP payload of a packet; 1,350 leaves room for any common path. */
  packetSize: number
  /** What one stream may send before the reader has read: grows up to `streamWindow` while the reader keeps up. */
  initialStreamWindow: number
  streamWindow: number
  congestionControl: 'CUBIC' | 'BBR' | 'Reno'
  /** Streams that the peer may have open at once. */
  maxStreams: number
  /** For an engine whose windows do not grow. */
  fixed: FixedWindows
}

/**
 * Windows that do not grow while the reader reads: quinn-proto has one size for all streams of a connection, and fixes it
 * before the handshake. So it follows the path: see `streamWindowFor`. Bytes.
 */
export interface FixedWindows {
  /**
   * What one stream may send before the reader has read, over a round trip of 25 ms or more. Where one packet in a hundred
   * is lost, those behind it wait, and a stream brings a window in about three and a half round trips.
   */
  stream: number
  /**
   * What all streams may: so much memory is theirs at most. Readers that have stopped keep a stream's window each, and
   * when all of it is theirs everybody waits for them.
   */
  connection: number
  /** What is written and not acknowledged. */
  send: number
}

/** From here on a stream has its whole window. Milliseconds. */
const farMs = 25
/** Of the whole window: what a stream has on a short path, where the ends' own pauses are longer than the round trip. */
const leastShare = 1 / 4
/** Where nothing is known of the path. */
const usualShare = 1 / 2
const windowStep = 64 * 1024

/**
 * A stream's window for a path with this round trip, in bytes: as fast on a short path as on a long one, it leaves room
 * for up to four times as many readers that have stopped.
 */
export function streamWindowFor({ stream }: FixedWindows, rttMs: number | undefined): number {
  const share = rttMs === undefined ? usualShare : Math.min(1, Math.max(leastShare, rttMs / farMs))
  return Math.ceil((stream * share) / windowStep) * windowStep
}

const KiB = 1024
const MiB = 1024 * KiB

/**
 * BBR at both ends: where packets are lost it carries ten times what CUBIC does (docs/performance.md).
 *
 * The two ends of a tunnel: the client answers on a laptop, the function dials and may have 128 MB for all it does.
 */
export const tunings: Record<Role, Tuning> = {
  server: {
    packetSize: 1350,
    initialStreamWindow: 128 * KiB,
    streamWindow: 8 * MiB,
    congestionControl: 'BBR',
    // The control stream is all that a function opens.
    maxStreams: 1,
    // 64 readers, on a path of up to 6 ms 256, may stand still before anybody waits for them.
    fixed: { stream: 16 * MiB, connection: 1024 * MiB, send: 32 * MiB },
  },
  client: {
    packetSize: 1350,
    initialStreamWindow: 64 * KiB,
    streamWindow: 8 * MiB,
    congestionControl: 'BBR',
    maxStreams: 4096,
    fixed: { stream: 10 * MiB, connection: 96 * MiB, send: 24 * MiB },
  },
}

/**
 * Of the function, which has so many MB for all it does. Nine targets, on a path of up to 6 ms 38, may stand still before
 * anybody waits for them.
 */
export function functionTuning(memoryMb: number): Tuning {
  const fixed: FixedWindows =
    memoryMb < 192
      ? { stream: 2 * MiB, connection: 24 * MiB, send: 8 * MiB }
      : memoryMb < 384
        ? tunings.client.fixed
        : { stream: 16 * MiB, connection: 192 * MiB, send: 32 * MiB }
  return { ...tunings.client, fixed }
}
