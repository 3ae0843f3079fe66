import { type QuicheConfig, quiche } from './binding.ts'
import type { Identity } from './identity.ts'

/** The application protocol of this tunnel; its number changes when the frames do. */
export const alpn = 'lambda-nat-proxy/1'

/** What a QUIC connection may hold and send. Bytes unless said otherwise. */
export interface Tuning {
  /** UDP payload of a packet; 1,350 leaves room for any common path. */
  packetSize: number
  /** What one stream may send before the reader has read: grows up to `streamWindow` while the reader keeps up. */
  initialStreamWindow: number
  streamWindow: number
  congestionControl: 'CUBIC' | 'BBR' | 'Reno'
}

const KiB = 1024
const MiB = 1024 * KiB

/**
 * BBR at both ends: where packets are lost it carries ten times what CUBIC does (docs/performance.md).
 *
 * The two ends of a tunnel: the client answers on a laptop, the function dials and may have 128 MB for all it does.
 */
export const tunings: Record<'server' | 'client', Tuning> = {
  server: {
    packetSize: 1350,
    initialStreamWindow: 128 * KiB,
    streamWindow: 6 * MiB,
    congestionControl: 'BBR',
  },
  client: {
    packetSize: 1350,
    initialStreamWindow: 64 * KiB,
    streamWindow: 3 * MiB,
    congestionControl: 'BBR',
  },
}

/**
 * What all streams together may hold unread is left to the windows of each. One window for all would be
 * used up by readers that have stopped, and quiche's shrinks to less than a few of those hold: everybody
 * else would wait for them.
 */
const connectionWindow = 2 ** 50

/** Streams that the peer may have open at once. */
const maxStreams = 4096
/** Datagrams that may wait in either direction. */
const datagramQueue = 8192

/** Silence that ends a connection, in milliseconds. Probes keep a live one from ever being silent. */
export const idleTimeoutMs = 15_000

/** The configuration of either end: both show a certificate, and both accept any: the pin decides. */
export function quicConfig(identity: Identity, tuning: Tuning): QuicheConfig {
  const config = quiche.Config.withBoringSslCtx(
    true,
    true,
    null,
    [identity.key],
    [identity.certificate],
    null,
  )
  config.setApplicationProtos([alpn])
  config.setMaxIdleTimeout(idleTimeoutMs)
  config.setMaxRecvUdpPayloadSize(65_527)
  config.setMaxSendUdpPayloadSize(tuning.packetSize)
  config.setInitialMaxData(connectionWindow)
  config.setInitialMaxStreamDataBidiLocal(tuning.initialStreamWindow)
  config.setInitialMaxStreamDataBidiRemote(tuning.initialStreamWindow)
  config.setInitialMaxStreamDataUni(0)
  config.setInitialMaxStreamsBidi(maxStreams)
  config.setInitialMaxStreamsUni(0)
  config.setMaxStreamWindow(tuning.streamWindow)
  config.setDisableActiveMigration(true)
  // quiche takes a packet for sent at the time that its pacing names, and the binding does not tell us that time:
  // not heeded, it shortens every round-trip time, by half at 100 ms.
  config.enablePacing(false)
  config.setCcAlgorithm(quiche.CongestionControlAlgorithm[tuning.congestionControl])
  config.enableDgram(true, datagramQueue, datagramQueue)
  config.grease(false)
  return config
}
