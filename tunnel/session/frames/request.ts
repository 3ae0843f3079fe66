import { decodeTarget, encodeTarget, FrameError, type Target, targetLength } from './address.ts'

/**
 * Commands: CONNECT and UDP ASSOCIATE are SOCKS's own (RFC 1928, section 4). The others are for
 * measuring the tunnel alone, with no server behind it: they are the services of RFC 862, 863 and 864,
 * and `chargen` sends as many bytes as its target's host says.
 */
export const command = { connect: 1, associate: 3, echo: 0xf0, discard: 0xf1, chargen: 0xf2 } as const
export type Command = keyof typeof command

/** The first bytes of a stream: the tail of a SOCKS5 request, CMD, ATYP, DST.ADDR, DST.PORT. */
export interface Request {
  command: Command
  target: Target
}

export const encodeRequest = (request: Request): Uint8Array =>
  encodeTarget(request.target, [command[request.command]])

/** Like `targetLength`, for a request. */
export const requestLength = (bytes: Uint8Array): number => 1 + targetLength(bytes.subarray(1))

/** Reads a complete request. Throws a FrameError when it is none. */
export function decodeRequest(bytes: Uint8Array): Request {
  const name = commands.get(bytes[0])
  if (!name) throw new FrameError(`command ${bytes[0]} is not known`)
  return { command: name, target: decodeTarget(bytes.subarray(1)) }
}

// --- internal ---

const commands: ReadonlyMap<number | undefined, Command> = new Map(
  (Object.keys(command) as Command[]).map(key => [command[key], key]),
)
