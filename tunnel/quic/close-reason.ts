import { CodedError } from '../net/coded-error.ts'
import { printable } from '../net/printable.ts'
import { closeCodes, closeText } from './close-codes.ts'
import type { EngineClose } from './engine-connection.ts'

/** Why a connection is over. */
export type CloseReasonCode =
  /** This end closed it. */
  | 'E_QUIC_CLOSED'
  | 'E_QUIC_CLOSED_BY_PEER'
  | 'E_QUIC_SILENT'
  | 'E_QUIC_HANDSHAKE_TIMEOUT'
  | 'E_QUIC_WRONG_PIN'
  /** The peer cost more time or memory than what it sent was worth. */
  | 'E_QUIC_OVERLOAD'
  | 'E_QUIC_FAILED'

export type QuicErrorCode =
  | CloseReasonCode
  /** The connection is over. */
  | 'E_QUIC_NOT_OPEN'
  /** The peer allows no more streams at once. */
  | 'E_QUIC_STREAM_LIMIT'
  /** No engine, or not the one asked for, was built for this platform. */
  | 'E_QUIC_NO_ENGINE'

export interface CloseReason {
  code: CloseReasonCode
  /** For people: with the peer's words in it, made printable. */
  message: string
  /** The application close code (closeCodes), of this end's or the peer's; undefined where there was none. */
  closeCode?: number
}

/** A QUIC connection ended or never came about. */
export class QuicError extends CodedError<QuicErrorCode> {
  override name = 'QuicError'
}

/** What the engine says of an end, in the face's words. */
export function closeReasonOf({ kind, byPeer, code, reason }: EngineClose): CloseReason {
  const text = printable(reason, maxReasonLength)
  const behind = text && `: ${text}`
  if (kind === 'wrong-pin' || (byPeer && refusesCertificate(kind, code)))
    return {
      code: 'E_QUIC_WRONG_PIN',
      message: byPeer
        ? 'the other end refused our certificate: it is not the one it was told of'
        : `the other end showed ${text || 'another certificate than it announced'}: it is not who wrote the offer or answer`,
    }
  if (kind === 'application')
    return {
      code: byPeer
        ? 'E_QUIC_CLOSED_BY_PEER'
        : code === closeCodes.overload
          ? 'E_QUIC_OVERLOAD'
          : 'E_QUIC_CLOSED',
      message: text || textOf(code),
      closeCode: code,
    }
  if (kind === 'timed-out') return { code: 'E_QUIC_SILENT', message: 'the other end has gone silent' }
  if (kind === 'transport')
    return {
      code: byPeer ? 'E_QUIC_CLOSED_BY_PEER' : 'E_QUIC_FAILED',
      message: `QUIC error 0x${code.toString(16)}${byPeer ? ' of the other end' : ''}${behind}`,
    }
  return { code: 'E_QUIC_FAILED', message: `QUIC failed${behind}` }
}

// --- internal ---

/**
 * An engine that compares the pin behind the handshake says so by an application close; one that does within it by
 * TLS's alerts access_denied and certificate_required (RFC 8446, section 6.2; RFC 9001, section 4.8).
 */
const refusesCertificate = (kind: EngineClose['kind'], code: number): boolean =>
  (kind === 'application' && code === closeCodes.wrongPin) ||
  (kind === 'transport' && (code === 0x131 || code === 0x174))

const maxReasonLength = 200

const textOf = (code: number): string =>
  (closeText as Record<number, string>)[code] ?? `closed with application code ${code}`
