import type { QuicheConnection } from './binding.ts'

/** Why a connection ended. */
export interface CloseReason {
  kind: 'closed' | 'closed-by-peer' | 'silent' | 'handshake' | 'wrong-pin' | 'failed'
  message: string
}

/** A QUIC connection ended or never came about. */
export class QuicError extends Error {
  override name = 'QuicError'
  constructor(readonly reason: CloseReason) {
    super(reason.message)
  }
}

/** The application's own error code for a certificate that is not the pinned one. */
export const applicationErrorPin = 1

/** Why quiche says that a connection is over. */
export function whyClosed(connection: QuicheConnection): CloseReason {
  const error = connection.peerError()
  if (error?.isApp && error.errorCode === applicationErrorPin)
    return {
      kind: 'wrong-pin',
      message: 'the other end refused our certificate: it is not the one it was told of',
    }
  if (error)
    return {
      kind: 'closed-by-peer',
      message: Buffer.from(error.reason).toString().slice(0, 200) || `QUIC error ${error.errorCode}`,
    }
  if (connection.isTimedOut()) return { kind: 'silent', message: 'the other end has gone silent' }
  return { kind: 'failed', message: `QUIC failed${localReason(connection)}` }
}

// --- internal ---

function localReason(connection: QuicheConnection): string {
  const error = connection.localError()
  return error ? ` (error ${error.errorCode} ${Buffer.from(error.reason).toString()})` : ''
}
