import { decodeTarget, encodeTarget, FrameError, type Target, targetLength } from './address.ts'

/** Reply codes (RFC 1928, section 6). */
export const reply = {
  succeeded: 0,
  failure: 1,
  notAllowed: 2,
  networkUnreachable: 3,
  hostUnreachable: 4,
  refused: 5,
  /** Also what a dial that timed out gets: SOCKS has no nearer code. */
  ttlExpired: 6,
  commandNotSupported: 7,
  addressTypeNotSupported: 8,
} as const
export type ReplyCode = (typeof reply)[keyof typeof reply]

/** Why an exit refuses, where the reply code alone does not say; on the wire 1 and up, in this order. Append only. */
export const refusalReasons = [
  /** The target, or all that its name resolves to, is private or reserved, and this exit connects to no such address. */
  'private-address',
  /** The name has no addresses, or could not be looked up. */
  'name-not-found',
  /** No connection can be made to such a target: port 0, a request that cannot be read. */
  'invalid-target',
  /** The exit has as many connections, or associations, as it may have. */
  'no-room',
] as const
export type RefusalReason = (typeof refusalReasons)[number]

/**
 * The first bytes back: the tail of a SOCKS5 reply (RFC 1928, section 6), REP, RSV, ATYP, BND.ADDR, BND.PORT, with the
 * reason of a refusal in RSV, 0 for none.
 */
export interface Reply {
  code: ReplyCode
  reason?: RefusalReason | undefined
  /** The exit's own end of the connection to the target. */
  bound: Target
}

/** REP and RSV. */
const headLength = 2

/** What a refusal carries in place of an address. */
export const unbound: Target = { host: '0.0.0.0', port: 0 }

/** Behind these bytes. */
export const encodeReply = ({ code, reason, bound }: Reply, head: readonly number[] = []): Uint8Array =>
  encodeTarget(bound, [...head, code, reason ? refusalReasons.indexOf(reason) + 1 : 0])

/** Like `targetLength`, for a reply. */
export const replyLength = (bytes: Uint8Array): number =>
  headLength + targetLength(bytes.subarray(headLength))

/** Reads a complete reply; a reason that is not known yet is none. Throws a FrameError when it is no reply. */
export function decodeReply(bytes: Uint8Array): Reply {
  const code = codes.get(bytes[0])
  if (code === undefined) throw new FrameError(`reply code ${bytes[0]} is not known`)
  const reason = refusalReasons[bytes[1]! - 1]
  return { code, ...(reason && { reason }), bound: decodeTarget(bytes.subarray(headLength)) }
}

// --- internal ---

const codes: ReadonlyMap<number | undefined, ReplyCode> = new Map(
  Object.values(reply).map(code => [code, code]),
)
