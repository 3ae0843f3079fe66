// The package's native binding alone: its classes move 11 Mbit/s where this moves a gigabit. Bundles
// replace this one module by the .node file of their platform.
import native from '@matrixai/quic/dist/native/quiche.js'
import type {
  Config,
  ConfigConstructor,
  Connection,
  ConnectionConstructor,
  HeaderConstructor,
  RecvInfo,
} from '@matrixai/quic/dist/native/types.js'

interface Binding {
  Config: ConfigConstructor
  Connection: ConnectionConstructor
  Header: HeaderConstructor
  CongestionControlAlgorithm: { Reno: number; CUBIC: number; BBR: number; BBR2?: number }
}

/** quiche 0.18 by napi. */
export const quiche = native as unknown as Binding
export type { Config as QuicheConfig, Connection as QuicheConnection, RecvInfo }

/** streamShutdown's directions. */
export const shutdownRead = 0
export const shutdownWrite = 1
