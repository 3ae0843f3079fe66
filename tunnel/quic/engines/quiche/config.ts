import type { Identity } from '../../identity.ts'
import { alpn, idleTimeoutMs, type Tuning } from '../../tuning.ts'
import { type QuicheConfig, quiche } from './binding.ts'

/**
 * What all streams together may hold unread is left to the windows of each. One window for all would be
 * used up by readers that have stopped, and quiche's shrinks to less than a few of those hold: everybody
 * else would wait for them.
 */
const connectionWindow = 2 ** 50

/** Datagrams that may wait in either direction. */
const datagramQueue = 8192

/** The configuration of either end: both show a certificate, and both accept any: the pin decides. */
export function quicheConfig(identity: Identity, tuning: Tuning): QuicheConfig {
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
  config.setInitialMaxStreamsBidi(tuning.maxStreams)
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
