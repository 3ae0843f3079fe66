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

/** The first bytes back: the tail of a SOCKS5 reply, REP, ATYP, BND.ADDR, BND.PORT. */
export interface Reply {
  code: ReplyCode
  /** The exit's own end of the connection to the target. */
  bound: Target
}

/** What a refusal carries in place of an address. */
export const unbound: Target = { host: '0.0.0.0', port: 0 }

export const encodeReply = ({ code, bound }: Reply): Buffer =>
  Buffer.concat([Buffer.of(code), encodeTarget(bound)])

/** Like `targetLength`, for a reply. */
export const replyLength = (bytes: Uint8Array): number => 1 + targetLength(bytes.subarray(1))

/** Reads a complete reply. Throws a FrameError when it is none. */
export function decodeReply(bytes: Uint8Array): Reply {
  const code = Object.values(reply).find(value => value === bytes[0])
  if (code === undefined) throw new FrameError(`reply code ${bytes[0]} is not known`)
  return { code, bound: decodeTarget(bytes.subarray(1)) }
}
