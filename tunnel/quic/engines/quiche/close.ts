import type { EngineClose } from '../../engine-connection.ts'
import type { QuicheConnection } from './binding.ts'

/** Why quiche says that a connection is over. */
export function closeOf(connection: QuicheConnection): EngineClose {
  const peer = connection.peerError()
  if (peer) return told(peer, true)
  if (connection.isTimedOut()) return { kind: 'timed-out', byPeer: false, code: 0, reason: '' }
  const local = connection.localError()
  return local ? told(local, false) : { kind: 'failed', byPeer: false, code: 0, reason: '' }
}

// --- internal ---

interface ConnectionError {
  isApp: boolean
  errorCode: number
  reason: Iterable<number>
}

const told = ({ isApp, errorCode, reason }: ConnectionError, byPeer: boolean): EngineClose => ({
  kind: isApp ? 'application' : 'transport',
  byPeer,
  code: errorCode,
  reason: Buffer.from(reason as ArrayLike<number> & Iterable<number>).toString(),
})
