/** The version of the subnegotiation, which is not that of SOCKS (RFC 1929, section 2). */
const version = 1

/** What the client is answered; after a refusal the connection must be closed. */
export const loginReply = (admitted: boolean): Uint8Array => Uint8Array.of(version, admitted ? 0 : 1)

export interface SocksLogin {
  user: string
  password: string
  /** Bytes that it took. */
  length: number
}

/**
 * Reads VER, ULEN, UNAME, PLEN, PASSWD (RFC 1929): undefined when more must arrive. Throws when it is none.
 *
 * The `socksv5` package's parser refuses a name or password of no bytes, as the RFC does; but curl sends
 * none for `region-eu-west-1:`, and Java none when it was told nothing. Access decides about them.
 */
export function readSocksLogin(bytes: Buffer): SocksLogin | undefined {
  if (bytes.length > 0 && bytes[0] !== version)
    throw new Error(`login version ${bytes[0]} is not known, only ${version}`)
  const nameEnd = 2 + (bytes[1] ?? 0)
  const length = nameEnd + 1 + (bytes[nameEnd] ?? 0)
  if (bytes.length < nameEnd + 1 || bytes.length < length) return undefined
  return {
    user: bytes.toString('utf8', 2, nameEnd),
    password: bytes.toString('utf8', nameEnd + 1, length),
    length,
  }
}
